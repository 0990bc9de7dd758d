// Waiting: for events and conditions, always with a deadline, never for a span of time.

/** How long anything may take, in ms. Generous, because it is only ever spent on a failure. */
export const PATIENCE = Number(process.env.E2E_PATIENCE_MS ?? 60_000);

/** Resolves like `promise`, or rejects with a sentence that says what did not happen. */
export function within(promise, what, ms = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`after ${ms} ms still waiting for ${typeof what === 'function' ? what() : what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Resolves with the arguments of the emitter's next `event` (one argument: that argument). */
export function next(emitter, event, what = `event "${event}"`) {
  return within(
    new Promise((resolve) => emitter.once(event, (...args) => resolve(args.length > 1 ? args : args[0]))),
    what,
  );
}

/**
 * Asks again and again until `probe` answers something truthy, and resolves with it. For facts that another
 * process does not announce (a port that accepts, a status page); everything else has an event to wait for.
 */
export async function eventually(probe, what, ms = PATIENCE) {
  const end = Date.now() + ms;
  for (let pause = 5; ; pause = Math.min(pause * 2, 100)) {
    const answer = await probe();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`after ${ms} ms still waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

/** A list that can be awaited: `until` resolves once `enough(list)` is truthy. */
export class Log extends Array {
  static get [Symbol.species]() {
    return Array;
  }

  #waiting = new Set();

  add(entry) {
    this.push(entry);
    for (const check of [...this.#waiting]) check();
  }

  until(enough, what, ms) {
    let check;
    const done = new Promise((resolve, reject) => {
      check = () => {
        try {
          const answer = enough(this);
          if (answer) resolve(answer);
        } catch (error) {
          reject(error);
        }
      };
      this.#waiting.add(check);
      check();
    });
    return within(done, what, ms).finally(() => this.#waiting.delete(check));
  }
}
