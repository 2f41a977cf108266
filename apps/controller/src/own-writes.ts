/** The versions our own writes made: they come back as watch events, which are nobody's news. */
export interface OwnWrites {
  add(resourceVersion: string | undefined): void;
  has(resourceVersion: string): boolean;
}

/** Remembers the youngest 20,000: an event that takes longer to come back costs one visit without a request. */
export function ownWrites(most = 20_000): OwnWrites {
  const versions = new Set<string>();
  return {
    add(resourceVersion) {
      if (!resourceVersion) return;
      versions.add(resourceVersion);
      for (const oldest of versions) {
        if (versions.size <= most) break;
        versions.delete(oldest);
      }
    },
    has: (resourceVersion) => versions.has(resourceVersion),
  };
}
