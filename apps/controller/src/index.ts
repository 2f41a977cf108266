export { type Controller, type ControllerNews, type ControllerOptions, controller } from "./controller.ts";
export { main } from "./main.ts";
