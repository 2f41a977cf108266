export { type Http, HttpError, type HttpFault, type HttpOptions, type HttpRequest, type HttpResponse, type HttpStream } from "./http.ts";
