/** A change that is not asked about first: what went wrong stays beside what was typed. */
import { useState } from "preact/hooks";
import { Problem } from "../api/problem";
import { SignedOut } from "../api/transport";
import { signedOut } from "../app/session";

export function useAction(): { working: boolean; problem: Problem | null; run: (act: () => Promise<void>) => Promise<boolean> } {
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  async function run(act: () => Promise<void>): Promise<boolean> {
    setWorking(true);
    setProblem(null);
    try {
      await act();
      return true;
    } catch (error) {
      if (error instanceof SignedOut) signedOut.value = error.code;
      else if (error instanceof Problem) setProblem(error);
      else throw error;
      return false;
    } finally {
      setWorking(false);
    }
  }
  return { working, problem, run };
}
