// The suite imports `globSync`, which `fs` has from Node 22 on, for a command that is not used here.
import { register } from "node:module";

const source = `
  export * from "node:fs";
  export { default } from "node:fs";
  export const globSync = () => { throw new Error("globSync needs Node 22"); };`;
const shim = `data:text/javascript,${encodeURIComponent(source)}`;
const hook = `
  export async function resolve(specifier, context, next) {
    return specifier === "fs" && context.parentURL?.includes("/@modelcontextprotocol/conformance/")
      ? { url: ${JSON.stringify(shim)}, shortCircuit: true }
      : next(specifier, context);
  }`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
