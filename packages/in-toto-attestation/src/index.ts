export {
  base64Bytes,
  type Envelope,
  type EnvelopeSignature,
  envelopeText,
  inTotoPayloadType,
  parseEnvelope,
  preAuthEncoding,
} from "./dsse.ts";
export { hintOf, keyidOf } from "./public-key.ts";
