export { annotationBytes, maxAnnotationBytes, tektonStorage } from "./tekton-storage.ts";
