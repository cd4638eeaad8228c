// Runs the Python program on standard input in the CPython that pyodide carries, which sees the
// folder at MOUNT and nothing else of this machine.
// node run.mjs PYODIDE FOLDER MOUNT
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [pyodide, folder, mount] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(pyodide).href);
const python = await loadPyodide({ env: { PYTHONHASHSEED: process.env.PYTHONHASHSEED } });
python.FS.mkdirTree(mount);
python.FS.mount(python.FS.filesystems.NODEFS, { root: folder }, mount);
python.runPython(readFileSync(0, "utf8"));
