import type { Tool } from "./define.ts";
import { getEmails } from "./get-emails.ts";
import { sendEmail } from "./send-email.ts";

/** The catalogue, in the order of `tools/list`. `getEmails` is first: probes call the first tool without arguments. */
export const TOOLS: readonly Tool[] = [getEmails, sendEmail];

export function findTool(name: string): Tool | undefined {
  return TOOLS.find((tool) => tool.name === name);
}
