#!/usr/bin/env node
import { main } from "./main.ts";

// A reader that went away (`| head`) must not turn the answer into another one: the rest is written to nobody.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });

process.exitCode = await main(process.argv.slice(2));
