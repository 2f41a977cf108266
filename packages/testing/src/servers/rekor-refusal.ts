export class Refused extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: a stranger's JSON; what is missing is refused
export type Loose = Readonly<Record<string, any>>;

/** A request's body. @throws Refused */
export function parsed(body: string): Loose {
  if (body === "") throw new Refused(422, "a body is required");
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value;
  } catch {
    // refused below
  }
  throw new Refused(400, "the body is no JSON object");
}

/** Of the query. @throws Refused */
export function wholeNumber(text: string | null): number {
  if (text !== null && /^\d+$/.test(text)) return Number(text);
  throw new Refused(422, "a number in query is missing or none");
}
