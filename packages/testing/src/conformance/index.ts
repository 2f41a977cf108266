export { type It, type Mood, type StorageCandidate, storageConformance } from "./storage.ts";
