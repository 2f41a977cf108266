export { simplesigning, simplesigningMediaType } from "./simplesigning.ts";
