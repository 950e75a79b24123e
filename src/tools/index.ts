import { authenticate } from "./authenticate.ts";
import { checkAvailability } from "./check-availability.ts";
import { createCalendarEvent } from "./create-calendar-event.ts";
import { createTeamsMeeting } from "./create-teams-meeting.ts";
import type { Tool } from "./define.ts";
import { getCalendarEvents } from "./get-calendar-events.ts";
import { getContacts } from "./get-contacts.ts";
import { getEmail } from "./get-email.ts";
import { getEmails } from "./get-emails.ts";
import { listChannels } from "./list-channels.ts";
import { replyToEmail } from "./reply-to-email.ts";
import { respondToEvent } from "./respond-to-event.ts";
import { searchEmails } from "./search-emails.ts";
import { sendEmail } from "./send-email.ts";
import { sendTeamsMessage } from "./send-teams-message.ts";
import { updateCalendarEvent } from "./update-calendar-event.ts";

/** The catalogue, in the order of `tools/list`. `getEmails` is first: probes call the first tool without arguments. */
export const TOOLS: readonly Tool[] = [
  getEmails,
  searchEmails,
  sendEmail,
  getCalendarEvents,
  createCalendarEvent,
  sendTeamsMessage,
  createTeamsMeeting,
  getContacts,
  authenticate,
  listChannels,
  getEmail,
  checkAvailability,
  replyToEmail,
  updateCalendarEvent,
  respondToEvent,
];

export function findTool(name: string): Tool | undefined {
  return TOOLS.find((tool) => tool.name === name);
}
