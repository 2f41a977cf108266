import type { RunRef } from "@countersign/core";

/** Whose results or states are being read. */
export interface Place {
  readonly run: RunRef;
  readonly step?: string;
}

/** Where an entry of a statement came from: what somebody has to change who wants it changed. */
export interface Origin extends Place {
  readonly from: "result" | "step result" | "param" | "param default" | "step image" | "sidecar image" | "refSource" | "whole TaskRun";
  /** Of results and params; of the step or sidecar for images. */
  readonly names: readonly string[];
}

export const resultOrigin = (place: Place, ...names: readonly string[]): Origin => ({
  ...place,
  from: place.step === undefined ? "result" : "step result",
  names,
});
