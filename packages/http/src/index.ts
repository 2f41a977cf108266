export { HttpError, type HttpFault, isOutage, isUntrusted } from "./fault.ts";
export { type HostPolicyOptions, hostPolicy } from "./host-policy.ts";
export { type Http, type HttpOptions, type HttpRequest, type HttpResponse, type HttpStream, http } from "./http.ts";
export { placeOf, redact } from "./redact.ts";
export { retryAfterMs } from "./retry.ts";
