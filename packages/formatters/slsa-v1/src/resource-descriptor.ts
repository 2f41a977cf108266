import type { Json, StringMap } from "@countersign/tekton";

export interface Descriptor {
  /** Base64 */
  readonly content?: string | undefined;
  readonly digest?: StringMap | undefined;
  readonly mediaType?: string;
  readonly name?: string | undefined;
  readonly uri?: string | undefined;
}

/** As protobuf writes it: what is empty is absent. */
export const descriptorJson = ({ content, digest, mediaType, name, uri }: Descriptor): Json => ({
  content: content || undefined,
  digest: digest?.size ? digest : undefined,
  mediaType: mediaType || undefined,
  name: name || undefined,
  uri: uri || undefined,
});
