export { type Breaker, type BreakerOptions, breaker } from "./breaker.ts";
export type { Http, HttpOptions, HttpRequest, HttpResponse, HttpStream } from "./exchange.ts";
export { HttpError, type HttpFault, isOutage, isUntrusted } from "./fault.ts";
export { hostList } from "./host-list.ts";
export { type HostPolicyOptions, hostPolicy } from "./host-policy.ts";
export { http } from "./http.ts";
export { pause } from "./pause.ts";
export { placeOf, redact } from "./redact.ts";
export { retryAfterMs } from "./retry.ts";
