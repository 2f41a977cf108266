/** A piece of JSON that has to reach the parser exactly as it is spelled here. */
export class Spelled {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** JSON.stringify, but for the pieces that are spelled out. */
export function spelledJson(value: unknown): string {
  const pieces: string[] = [];
  const text = JSON.stringify(value, (_, member) => (member instanceof Spelled ? `\u0001${pieces.push(member.text) - 1}\u0001` : member));
  return text.replace(/"\\u0001(\d+)\\u0001"/g, (_, index) => pieces[Number(index)] ?? "");
}

type Members = Readonly<Record<string, unknown>>;

const succeeded = [{ type: "Succeeded", status: "True", reason: "Succeeded", lastTransitionTime: "2026-03-01T10:05:00Z" }];
const times = { startTime: "2026-03-01T10:00:00Z", completionTime: "2026-03-01T10:05:00Z" };

export const sha = (digit: string): string => `sha256:${digit.repeat(64)}`;
export const result = (name: string, value: unknown): Members => ({ name, type: typeof value === "string" ? "string" : "object", value });
export const param = (name: string, value: unknown): Members => ({ name, value });
export const step = (name: string, more: Members = {}): Members => ({
  name,
  imageID: `registry.example.com/tools/${name}@${sha("e")}`,
  ...more,
});

export interface Parts {
  readonly name?: string;
  readonly uid?: string;
  readonly meta?: Members;
  readonly spec?: Members;
  readonly status?: Members;
}

export const taskRun = ({ name = "build", uid = "uid-task", meta = {}, spec = {}, status = {} }: Parts): Members => ({
  apiVersion: "tekton.dev/v1",
  kind: "TaskRun",
  metadata: { name, namespace: "ci", uid, ...meta },
  spec: { serviceAccountName: "builder", ...spec },
  status: { conditions: succeeded, ...times, ...status },
});

export const pipelineRun = ({ name = "release", uid = "uid-pipeline", meta = {}, spec = {}, status = {} }: Parts): Members => ({
  apiVersion: "tekton.dev/v1",
  kind: "PipelineRun",
  metadata: { name, namespace: "ci", uid, ...meta },
  spec: { pipelineRef: { name: "release" }, taskRunTemplate: { serviceAccountName: "deployer" }, ...spec },
  status: { conditions: succeeded, ...times, ...status },
});

/** A child for a task of a pipeline. */
export const child = (task: string, { meta = {}, ...parts }: Parts = {}): Members =>
  taskRun({ name: `release-${task}`, uid: `uid-${task}`, ...parts, meta: { labels: { "tekton.dev/pipelineTask": task }, ...meta } });

export const pipelineOf = (...tasks: readonly (string | Members)[]): Members => ({
  pipelineSpec: { tasks: tasks.map((task) => (typeof task === "string" ? { name: task, taskRef: { name: task } } : task)) },
  childReferences: tasks.map((task) => {
    const name = typeof task === "string" ? task : String(task["name"]);
    return { apiVersion: "tekton.dev/v1", kind: "TaskRun", name: `release-${name}`, pipelineTaskName: name };
  }),
});
