import { statementCommand } from "../../apps/cli/src/statement.ts";

// what `countersign statement --batch` does, without the rest of the program
await statementCommand().parseAsync(["--batch"], { from: "user" });
