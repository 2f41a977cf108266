#!/usr/bin/env node
import { main } from "./main.ts";

process.exitCode = await main(process.argv.slice(2));
// Whatever is still open (a plug-in of a stranger, a scrape) does not keep the process.
setTimeout(() => process.exit(), 500).unref();
