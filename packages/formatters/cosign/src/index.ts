export { signV1, signV1PredicateType } from "./sign-v1.ts";
export { simplesigning, simplesigningMediaType } from "./simplesigning.ts";
