/** Switches that cosign's users write with a value, as Go's flags allow it. */
const switches: readonly string[] = ["--offline", "--insecure-ignore-tlog", "--insecure-ignore-sct"];

/** `--offline=true` becomes `--offline`, and `--offline=false` nothing. Any other value stays, and is then refused. */
export const speltOutFlags = (args: readonly string[]): readonly string[] =>
  args.flatMap((arg) => {
    const [, flag = "", value = ""] = /^(--[a-z-]+)=(.*)$/.exec(arg) ?? [];
    if (!switches.includes(flag)) return [arg];
    if (/^(1|t|true)$/i.test(value)) return [flag];
    return /^(0|f|false)$/i.test(value) ? [] : [arg];
  });
