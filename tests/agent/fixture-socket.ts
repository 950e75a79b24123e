/** As much of a WebSocket as its server end uses. */
export class FixtureSocket extends EventTarget {
  readyState = 1;
  readonly sent: string[] = [];
  closedWith: readonly [code: number | undefined, reason: string | undefined] | undefined;
  #attachment: unknown;

  accept(): void {}

  send(text: string): void {
    this.sent.push(text);
  }

  close(code?: number, reason?: string): void {
    this.closedWith ??= [code, reason];
    this.readyState = 3;
  }

  serializeAttachment(attachment: unknown): void {
    this.#attachment = structuredClone(attachment);
  }

  deserializeAttachment(): unknown {
    return structuredClone(this.#attachment);
  }

  receive(data: string | ArrayBuffer): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }

  hangUp(): void {
    this.readyState = 3;
    this.dispatchEvent(new Event("close"));
  }

  /** The type of the platform; the methods above are those that are used. */
  get asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}
