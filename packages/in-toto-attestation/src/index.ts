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
export type { ResourceDescriptor } from "./resource-descriptor.ts";
export { checkSlsaV02, type SlsaProvenanceV02, slsaV02PredicateType } from "./slsa-v0.2.ts";
export { checkSlsaV1, type SlsaProvenanceV1, slsaV1PredicateType } from "./slsa-v1.ts";
export { parseStatement, type Statement, type Subject, statementTypeV1, statementTypeV01 } from "./statement.ts";
