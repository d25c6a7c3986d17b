// Memories are bounded: where one is full, what was put into it first makes room. A Map keeps the order of insertion.

/** Forgets the oldest where the memory has no room for one more. */
export function makeRoom(memory: Map<string, unknown>, most: number): void {
  if (memory.size < most) return;
  for (const oldest of memory.keys()) {
    memory.delete(oldest);
    return;
  }
}
