/**
 * Repeats a request while its answer is temporary.
 *
 * @param waits milliseconds before each repetition.
 * @returns the first answer that is not temporary, or the last answer.
 */
export async function retryWhile<T>(
  waits: readonly number[],
  isTemporary: (answer: T) => boolean,
  send: () => Promise<T>,
): Promise<T> {
  for (const wait of waits) {
    const answer = await send();
    if (!isTemporary(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
  return send();
}
