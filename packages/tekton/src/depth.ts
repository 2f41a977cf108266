import { CountersignError } from "@countersign/core";

/** Deeper than anything the Tekton API can express outside of custom task specs; guards the stack. */
export const maximalDepth = 1000;

export const tooDeepToRead = (): CountersignError =>
  new CountersignError("read.too-deep", `the run nests values more than ${maximalDepth} levels deep; flatten the custom task spec`, {
    retry: "never",
  });

export const tooDeepToWrite = (): CountersignError =>
  new CountersignError("format.too-deep", `the run nests values more than ${maximalDepth} levels deep; flatten the custom task spec`, {
    retry: "never",
  });
