/** Starts the console: connects, then draws. */
import { render } from "preact";
import { connect } from "./api/client";
import { connectLoopback, SignedOut } from "./api/transport";
import { App } from "./app/app";
import { startRouter } from "./app/router";
import { loadMe, signedOut } from "./app/session";

async function start(): Promise<void> {
  const root = document.getElementById("app")!;
  try {
    connect(await connectLoopback());
    startRouter();
    void loadMe().catch(() => {});
  } catch (error) {
    if (!(error instanceof SignedOut)) throw error;
    signedOut.value = error.code;
  }
  render(<App />, root);
}

void start();
