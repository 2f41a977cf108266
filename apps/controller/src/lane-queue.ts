/** live: finished while we watched. recent: finished in the last quarter of an hour. backlog: older, newest first. */
export type Lane = "live" | "recent" | "backlog";

export interface LaneOptions {
  readonly id?: string;
  readonly lane?: Lane;
  readonly namespace?: string;
  /** Epoch milliseconds; the youngest of the backlog goes first. */
  readonly finishedAt?: number;
}

type Work = () => Promise<unknown>;
interface Entry extends LaneOptions {
  readonly work: Work;
}

const lanes: readonly Lane[] = ["live", "recent", "backlog"];
/** How many of ten turns a lane has when all have work: none starves, none buries the live one. */
const turns: readonly Lane[] = ["live", "live", "recent", "live", "live", "backlog", "live", "live", "recent", "live"];

/**
 * The queue behind p-queue (its `queueClass`): lanes, and within a lane one namespace after the other, so that a tenant with ten
 * thousand old runs does not keep the others waiting.
 */
export class LaneQueue {
  readonly #lanes = new Map<Lane, Map<string, Entry[]>>(lanes.map((lane) => [lane, new Map()]));
  #turn = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  enqueue(work: Work, options: LaneOptions = {}): void {
    const { lane = "live", namespace = "" } = options;
    const spaces = this.#spaces(lane);
    const entries = spaces.get(namespace) ?? [];
    if (entries.length === 0) spaces.set(namespace, entries);
    insert(entries, { ...options, work }, lane === "backlog");
    this.#size++;
  }

  dequeue(): Work | undefined {
    if (this.#size === 0) return undefined;
    const wanted = turns[this.#turn++ % turns.length] ?? "live";
    const lane = [wanted, ...lanes].find((name) => this.#spaces(name).size > 0) ?? "live";
    const spaces = this.#spaces(lane);
    const [namespace, entries] = spaces.entries().next().value ?? ["", []];
    const entry = entries.shift();
    spaces.delete(namespace);
    if (entries.length > 0) spaces.set(namespace, entries); // to the end of the round
    this.#size--;
    return entry?.work;
  }

  filter(options: Readonly<Partial<LaneOptions>>): Work[] {
    const fits = (entry: Entry): boolean => Object.entries(options).every(([key, value]) => entry[key as keyof LaneOptions] === value);
    return lanes.flatMap((lane) =>
      [...this.#spaces(lane).values()]
        .flat()
        .filter(fits)
        .map(({ work }) => work),
    );
  }

  remove(which: string | Work): void {
    for (const lane of lanes)
      for (const [namespace, entries] of this.#spaces(lane)) {
        const at = entries.findIndex(({ id, work }) => id === which || work === which);
        if (at < 0) continue;
        entries.splice(at, 1);
        this.#size--;
        if (entries.length === 0) this.#spaces(lane).delete(namespace);
      }
  }

  /** p-queue's word for "move it up"; a lane is chosen when a key is queued, so there is nothing to move. */
  setPriority(): void {}

  #spaces(lane: Lane): Map<string, Entry[]> {
    return this.#lanes.get(lane) ?? new Map();
  }
}

/** In order of arrival, or the youngest first: found by halving, for a backlog may hold tens of thousands. */
function insert(entries: Entry[], entry: Entry, youngestFirst: boolean): void {
  if (!youngestFirst) {
    entries.push(entry);
    return;
  }
  let [low, high] = [0, entries.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.finishedAt ?? 0) >= (entry.finishedAt ?? 0)) low = middle + 1;
    else high = middle;
  }
  entries.splice(low, 0, entry);
}
