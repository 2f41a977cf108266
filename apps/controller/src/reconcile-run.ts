import { attestRun, failuresOf, type Report } from "@countersign/attest";
import { annotationPrefix } from "@countersign/bundle";
import type { Annotations, Call } from "@countersign/core";
import { ourFinalizers } from "@countersign/kube";
import type { Run } from "@countersign/tekton";
import { concluded, fitting, type Visit } from "./conclude.ts";
import { draftsOn } from "./drafts.ts";
import { fetchRun } from "./fetch-run.ts";
import { deadlineLeft, guard, letGo, released } from "./finalizer.ts";
import { storedAnnotations } from "./marks.ts";
import { type ChildReference, isSettled, keyOf, type Projection } from "./projection.ts";
import type { Surroundings } from "./surroundings.ts";
import { orphansIn } from "./transparency-annotations.ts";
import type { Next } from "./work.ts";

/** One visit to one run: at most one GET, one apply of annotations (before it the drafts of keyless signatures), and our finalizer on or off. */
export async function reconcileRun(seen: Projection, house: Surroundings, call: Call): Promise<Next> {
  const left = deadlineLeft(seen, house);
  const past = left <= 0;
  if (!isOurs(seen.managedBy, house)) return past ? forced(seen, house, call) : waiting(left);
  if (!seen.done) return guard(seen, house, call).then(() => "settled" as const);
  if (isSettled(seen) && !house.isForeign(seen.ref.uid)) return released(seen, house, call);
  if (past) return forced(seen, house, call);
  if (waitsForChildren(seen, house)) return waiting(left);

  const fetched = await fetchRun(seen, house, call);
  if (fetched.kind === "gone") return "settled";
  if (fetched.kind === "not-yet") return { againInMs: Math.min(left, notYetMs) };
  if (fetched.kind === "unreadable")
    return concluded({ ...fetched, report: { outcomes: [] }, failures: [fetched.failure], stored: {} }, seen, house, call);
  const { run, omitted } = fetched;
  const standing = { ...seen, ref: run.ref, finalizers: run.finalizers.filter((one) => ourFinalizers.includes(one)) };
  if (!run.done) return "settled";
  // Marked since the watch last told of it.
  if (isSettled({ signed: run.annotations[`${annotationPrefix}signed`] }) && !house.isForeign(run.ref.uid))
    return released(standing, house, call);

  const { report, failures, annotations } = await attested(run, house, call);
  const stored = { ...storedAnnotations(report), ...omittedChildren(omitted) };
  const visit: Visit = { ref: run.ref, annotations, report, failures, stored };
  return concluded(fitting(visit), standing, house, call);
}

/** A child that the list shows and the watch does not yet: it will, in a moment. */
const notYetMs = 2_000;

const waiting = (left: number): Next => (Number.isFinite(left) ? { againInMs: left } : "settled");

/** The deletion waited long enough. */
async function forced({ ref, deletedAt, finalizers }: Projection, house: Surroundings, call: Call): Promise<Next> {
  house.tell({ kind: "released", ref, waitedMs: house.now() - (deletedAt ?? house.now()) });
  await letGo(ref, finalizers, house, call);
  return "settled";
}

/** A plan that throws is a bug that this run brings to light: its failure, and nobody else's. */
async function attested(run: Run, house: Surroundings, call: Call): Promise<Omit<Visit, "ref" | "stored">> {
  const { plan, ledger, observe, count, tell } = house;
  const routes = routesOf(() => plan(run));
  if ("failure" in routes) return { report: { outcomes: [] }, failures: [routes.failure], annotations: run.annotations };
  const drafts = draftsOn(run, house, call);
  const report: Report = await attestRun(run, routes.routes, { ...call, ledger, drafts, observe });
  count(run.ref, report.outcomes);
  const entries = orphansIn(report);
  if (entries.length > 0) tell({ kind: "orphaned", ref: run.ref, entries });
  return { report, failures: failuresOf(report), annotations: drafts.annotations() };
}

function routesOf<R>(plan: () => R): { readonly routes: R } | { readonly failure: unknown } {
  try {
    return { routes: plan() };
  } catch (failure) {
    return { failure };
  }
}

function isOurs(managedBy: string | undefined, house: Surroundings): boolean {
  return !managedBy || managedBy === "tekton.dev/pipeline" || house.managedBy.includes(managedBy);
}

/** Waiting is not failing: it costs no request, and a child's own change ends it. Once we marked the PipelineRun, it is past. */
function waitsForChildren({ ref, children, retries }: Projection, { known }: Surroundings): boolean {
  if (ref.kind !== "PipelineRun" || retries !== undefined) return false;
  const states = children.flatMap(({ kind, name }) => (kind === "TaskRun" ? (known(keyOf({ ...ref, kind: "TaskRun", name })) ?? []) : []));
  return states.some((child) => !(child.completed && isSettled(child)));
}

const mostNames = 4_090;

/** Children that are no TaskRuns, or are gone, never block; whoever reads the provenance is told which they are. */
function omittedChildren(omitted: readonly ChildReference[]): Annotations {
  if (omitted.length === 0) return {};
  const names = omitted.map(({ kind, name }) => `${kind}/${name}`).join(",");
  const told = names.length <= mostNames ? names : `${names.slice(0, names.lastIndexOf(",", mostNames))},…`;
  return { [`${annotationPrefix}omitted-children`]: told };
}
