/** What `echo $?` says after a command. Documented in docs/cli.md: scripts rely on it. */
export const exitCode = {
  ok: 0,
  /** The question was answered, and the answer is no: a verification refused, problems found. */
  no: 1,
  /** The command line is not understood. */
  usage: 2,
  /** It could not be done: a file, a key, a registry, a cluster, a configuration. */
  failed: 3,
  /** `verify image`, as `cosign verify` has it: nothing is signed, no such tag, no signature passes, none has a certificate. */
  noSignature: 10,
  noTag: 11,
  noMatch: 12,
  noCertificate: 13,
  /** Ctrl-C. */
  interrupted: 130,
} as const;
