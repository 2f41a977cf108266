/**
 * What can be wrong with what it answers; for faults of the network put `misbehave` in front.
 * stalls: takes the entry and never answers. garbage: an answer that is no entry. wrong-promise: signed over another index. wrong-proof:
 * another leaf's path. smaller-tree: the checkpoint of an older tree. other-log: all signed by a key that nobody knows. other-entry: a
 * stranger's entry. no-proof: only the promise. lost: knows of a conflict and not of the entry. no-location: a conflict without address.
 */
export type RekorMood =
  | "stalls"
  | "garbage"
  | "wrong-promise"
  | "wrong-proof"
  | "smaller-tree"
  | "other-log"
  | "other-entry"
  | "no-proof"
  | "lost"
  | "no-location";
