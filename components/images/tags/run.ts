import { setTimeout as sleep } from "node:timers/promises";
import { problemsError } from "../../../problems/problem.ts";
import { unsettled } from "./messages.ts";
import { copyTags, type TagStore } from "./store.ts";
import type { Line } from "./names.ts";
import { misplacedFloatingTags, type RegistryTags, type TagTarget } from "./versions.ts";

/** The tags before and after a run, with notes for the person who runs it. */
export interface TagResult {
  before: RegistryTags;
  after: RegistryTags;
  notes: readonly string[];
}

/** Most rounds of setting floating tags. Two concurrent runs need three. */
const MOST_ROUNDS = 8;

/** A run that sets tags. Tracks the last list of tags and its own changes since. */
export class TagRun {
  readonly store: TagStore;
  readonly notes: string[] = [];
  readonly #before: RegistryTags;
  #tags: Map<string, Map<string, string>>;
  #isFresh = true;

  constructor(store: TagStore, tags: RegistryTags) {
    this.store = store;
    this.#before = tags;
    this.#tags = copyTags(tags);
  }

  get tags(): RegistryTags {
    return this.#tags;
  }

  result(): TagResult {
    return { before: this.#before, after: this.#tags, notes: this.notes };
  }

  async read(): Promise<void> {
    this.#tags = copyTags(await this.store.read());
    this.#isFresh = true;
  }

  /** Sets the tags that have another digest, side by side. Waits for all, even if one fails. */
  async setAll(targets: readonly TagTarget[]): Promise<void> {
    const current = ({ image, tag }: TagTarget) => this.#tags.get(image)?.get(tag);
    const moved = targets.filter((target) => current(target) !== target.digest);
    await allSettled(
      moved.map(async (target) => {
        await this.store.set(target, current(target) !== undefined);
        this.#note(target);
      }),
    );
  }

  /** Creates tags, side by side. Keeps a tag that another run has created. */
  async createAll(targets: readonly TagTarget[]): Promise<void> {
    await allSettled(
      targets.map(async (target) => {
        if (await this.store.create(target)) this.#note(target);
        else this.#isFresh = false;
      }),
    );
  }

  /** Creates a tag. If the tag exists, reads the registry again and returns false. */
  async create(target: TagTarget): Promise<boolean> {
    if (this.#tags.get(target.image)?.has(target.tag) === true) return false;
    if (await this.store.create(target)) {
      this.#note(target);
      return true;
    }
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      await this.read();
      if (this.#tags.get(target.image)?.has(target.tag) === true) break;
      await this.#pause(round);
    }
    return false;
  }

  /** Sets the floating tags of these lines, and reads the registry again, until they are right. */
  async settle(lines: readonly Line[]): Promise<void> {
    for (let round = 0; ; round += 1) {
      if (!this.#isFresh) await this.read();
      const targets = misplacedFloatingTags(this.tags, lines);
      if (targets.length === 0) return;
      if (round === MOST_ROUNDS) throw problemsError(unsettled(this.tags, targets), "what was set stays");
      if (round > 0) await this.#pause(round);
      await this.setAll(targets);
    }
  }

  async #pause(round: number): Promise<void> {
    if (this.store.lagMs > 0) await sleep(this.store.lagMs << round);
  }

  #note({ image, tag, digest }: TagTarget): void {
    this.#tags.get(image)?.set(tag, digest);
    this.#isFresh = false;
  }
}

/** Waits for all promises, then fails with the first failure. */
async function allSettled(promises: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(promises);
  await Promise.all(promises);
}
