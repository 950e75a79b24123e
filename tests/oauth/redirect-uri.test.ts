import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  isNativeRedirect,
  isRegistrableRedirectUri,
  MAX_REDIRECT_URI_LENGTH,
  matchRedirectUri,
} from "../../src/oauth/redirect-uri.ts";

const LONGEST = `https://app.example.com/${"a".repeat(MAX_REDIRECT_URI_LENGTH - 24)}`;

const UNREGISTRABLE: readonly (readonly [what: string, uri: string])[] = [
  ["empty", ""],
  ["a script", "javascript:alert(1)"],
  ["a script in capitals", "JAVASCRIPT:alert(1)"],
  ["a script in mixed case", "JavaScript://app.example.com/%0aalert(1)"],
  ["a script after a blank", " javascript:alert(1)"],
  ["a script after a control character", "\u0001javascript:alert(1)"],
  ["a script cut by a tab", "java\tscript:alert(1)"],
  ["a script cut by a line break", "java\nscript:alert(1)"],
  ["data", "data:text/html,x"],
  ["data in capitals", "DATA:text/html,x"],
  ["a file", "file:///etc/passwd"],
  ["vbscript", "vbscript:x"],
  ["blob", "blob:https://app.example.com/1"],
  ["about", "about:blank"],
  ["view-source", "view-source:https://app.example.com/"],
  ["ftp", "ftp://app.example.com/"],
  ["a web socket", "wss://app.example.com/"],
  ["mail", "mailto:ada@app.example.com"],
  ["a scheme without a dot", "myapp://callback"],
  ["an editor that is not listed", "zed://callback"],
  ["an editor in capitals", "VSCode://callback"],
  ["relative", "/callback"],
  ["relative to a scheme", "//app.example.com/callback"],
  ["without a scheme", "app.example.com/callback"],
  ["https without slashes", "https:app.example.com/callback"],
  ["https with one slash", "https:/app.example.com/callback"],
  ["https with three slashes", "https:///app.example.com/callback"],
  ["https in capitals", "HTTPS://app.example.com/callback"],
  ["https without a host", "https://"],
  ["a fragment", "https://app.example.com/callback#x"],
  ["an empty fragment", "https://app.example.com/callback#"],
  ["a user", "https://user@app.example.com/callback"],
  ["a user and a password", "https://user:secret@app.example.com/callback"],
  ["an empty user", "https://@app.example.com/callback"],
  ["an empty user and password", "https://:@app.example.com/callback"],
  ["a user before a loopback host", "http://localhost@evil.example/callback"],
  ["a wildcard host", "https://*.example.com/callback"],
  ["a wildcard path", "https://app.example.com/*"],
  ["a backslash instead of a slash", "https:\\\\app.example.com\\callback"],
  ["a backslash in the host", "https://app.example.com\\@evil.example/callback"],
  ["a blank before it", " https://app.example.com/callback"],
  ["a blank after it", "https://app.example.com/callback "],
  ["a line break in it", "https://app.example.com/call\nback"],
  ["NUL", "https://app.example.com/\u0000"],
  ["letters outside ASCII", "https://app.exämple.com/callback"],
  ["a full-width letter that folds to ASCII", "https://app.example.com/ｃallback"],
  ["markup", "https://app.example.com/<b>"],
  ["a quote in the host", "https://app'.example.com/callback"],
  ["a quote in a host without a path", "https://app'.example.com"],
  ["a double quote", 'https://app.example.com/"'],
  ["plain http off loopback", "http://app.example.com/callback"],
  ["plain http to a private address", "http://192.168.1.4/callback"],
  ["plain http to every address", "http://0.0.0.0/callback"],
  ["a host that begins like loopback", "http://localhost.evil.example/callback"],
  ["a host that begins like a loopback address", "http://127.0.0.1.evil.example/callback"],
  ["a loopback name with a dot after it", "http://localhost./callback"],
  ["an address beside loopback", "http://127.0.0.2/callback"],
  ["a port that no host has", "https://app.example.com:99999/callback"],
  ["one character too long", `${LONGEST}a`],
];

for (const [what, uri] of UNREGISTRABLE) {
  test(`OA-04: a redirect URI that is ${what} cannot be registered`, () =>
    assert.equal(isRegistrableRedirectUri(uri), false));
}

test("OA-04: a control character anywhere makes a redirect URI unregistrable", () => {
  const uri = "https://app.example.com/callback";
  fc.assert(
    fc.property(fc.nat({ max: uri.length }), fc.nat({ max: 0x20 }), (at, code) => {
      assert.equal(isRegistrableRedirectUri(uri.slice(0, at) + String.fromCharCode(code) + uri.slice(at)), false);
    }),
  );
});

const REGISTRABLE: readonly (readonly [what: string, uri: string])[] = [
  ["https", "https://app.example.com/callback"],
  ["https with a port", "https://app.example.com:8443/callback"],
  ["https with a query", "https://app.example.com/callback?tenant=a"],
  ["https without a path", "https://app.example.com"],
  ["http on localhost", "http://localhost:3334/oauth/callback"],
  ["http on localhost without a port", "http://localhost/callback"],
  ["http on 127.0.0.1", "http://127.0.0.1:6274/callback"],
  ["http on [::1]", "http://[::1]:6274/callback"],
  ["a private-use scheme", "com.example.app:/callback"],
  ["a private-use scheme with a host", "com.example.app://callback"],
  ["cursor", "cursor://anysphere.cursor-mcp/oauth/callback"],
  ["vscode", "vscode://vscode.github-authentication/did-authenticate"],
  ["vscode-insiders", "vscode-insiders://publisher.extension/callback"],
  ["with a quote in path and query", "https://app.example.com/o'brien?q='x'"],
  ["as long as may be", LONGEST],
];

for (const [what, uri] of REGISTRABLE) {
  test(`OA-04: a redirect URI that is ${what} can be registered`, () =>
    assert.equal(isRegistrableRedirectUri(uri), true));
}

const WEB = "https://app.example.com/callback";
const LOCAL = "http://localhost:3334/oauth/callback";

const NEAR_MISSES: readonly (readonly [what: string, registered: string, requested: string])[] = [
  ["another host", WEB, "https://evil.example/callback"],
  ["a subdomain", WEB, "https://x.app.example.com/callback"],
  ["the host as a subdomain", WEB, "https://app.example.com.evil.example/callback"],
  ["another scheme", WEB, "http://app.example.com/callback"],
  ["another port of an https URI", WEB, "https://app.example.com:8443/callback"],
  ["the port that https has anyway", WEB, "https://app.example.com:443/callback"],
  ["another path", WEB, "https://app.example.com/other"],
  ["a slash more", WEB, "https://app.example.com/callback/"],
  ["a path below", WEB, "https://app.example.com/callback/x"],
  ["dots that lead out", WEB, "https://app.example.com/callback/../other"],
  ["dots that lead back", WEB, "https://app.example.com/x/../callback"],
  ["a path in capitals", WEB, "https://app.example.com/Callback"],
  ["a host in capitals", WEB, "https://APP.example.com/callback"],
  ["an encoded letter", WEB, "https://app.example.com/callbac%6b"],
  ["a query more", WEB, "https://app.example.com/callback?x=1"],
  ["an empty query", WEB, "https://app.example.com/callback?"],
  ["a fragment", WEB, "https://app.example.com/callback#x"],
  ["a user", WEB, "https://evil@app.example.com/callback"],
  ["the host as a user", WEB, "https://app.example.com@evil.example/callback"],
  ["a blank before it", WEB, " https://app.example.com/callback"],
  ["a blank after it", WEB, "https://app.example.com/callback "],
  ["a line break after it", WEB, "https://app.example.com/callback\n"],
  ["a beginning", WEB, "https://app.example.com/call"],
  ["nothing but empty text", WEB, ""],
  ["another path on loopback", LOCAL, "http://localhost:9999/callback"],
  ["https on loopback", LOCAL, "https://localhost:3334/oauth/callback"],
  ["another loopback name", LOCAL, "http://127.0.0.1:3334/oauth/callback"],
  ["IPv6 loopback for localhost", LOCAL, "http://[::1]:3334/oauth/callback"],
  ["a loopback name in capitals", LOCAL, "http://LOCALHOST:3334/oauth/callback"],
  ["loopback as a user name", LOCAL, "http://localhost:3334@evil.example/oauth/callback"],
  ["loopback as a subdomain", LOCAL, "http://localhost.evil.example:3334/oauth/callback"],
  ["a query more on loopback", LOCAL, "http://localhost:3334/oauth/callback?x=1"],
  ["a port without digits", LOCAL, "http://localhost:/oauth/callback"],
  ["a port with letters", LOCAL, "http://localhost:33a4/oauth/callback"],
  ["a port that does not exist", LOCAL, "http://localhost:65536/oauth/callback"],
  ["a short form of the address", "http://127.0.0.1/callback", "http://127.1/callback"],
  ["a decimal form of the address", "http://127.0.0.1/callback", "http://2130706433/callback"],
  ["a long form of the IPv6 address", "http://[::1]/callback", "http://[0:0:0:0:0:0:0:1]/callback"],
  ["another private-use scheme", "com.example.app:/callback", "com.example.apps:/callback"],
  ["a port in a private-use scheme", "com.example.app://localhost/callback", "com.example.app://localhost:1/callback"],
];

for (const [what, registered, requested] of NEAR_MISSES) {
  test(`OA-05, RFC 9700 §4.1.3: ${what} is not the registered redirect URI`, () => {
    const match = matchRedirectUri([registered], requested);
    assert.equal(match, undefined);
  });
}

test("OA-05: what may not be registered does not match, even if it is registered", () => {
  const match = matchRedirectUri(["javascript:alert(1)"], "javascript:alert(1)");
  assert.equal(match, undefined);
});

test("OA-05: without a redirect URI in the request two registered ones leave open which", () => {
  assert.equal(matchRedirectUri([WEB, LOCAL], undefined), undefined);
});

test("OA-05: a client without redirect URIs matches none", () => {
  assert.equal(matchRedirectUri([], undefined), undefined);
});

test("OA-05: without a redirect URI in the request the only registered one counts", () => {
  assert.equal(matchRedirectUri([WEB], undefined), WEB);
});

const MATCHES: readonly (readonly [what: string, registered: string, requested: string])[] = [
  ["the same text", WEB, WEB],
  ["another port on localhost", LOCAL, "http://localhost:50000/oauth/callback"],
  ["no port on localhost", LOCAL, "http://localhost/oauth/callback"],
  ["a port where none is registered", "http://127.0.0.1/callback", "http://127.0.0.1:1/callback"],
  ["another port on [::1]", "http://[::1]:1/callback", "http://[::1]:2/callback"],
  ["another port and the same query", "http://localhost:1/?a=1", "http://localhost:2/?a=1"],
  ["a private-use scheme to the letter", "com.example.app:/callback", "com.example.app:/callback"],
];

for (const [what, registered, requested] of MATCHES) {
  test(`OA-05, RFC 8252 §7.3: ${what} matches`, () => {
    assert.equal(matchRedirectUri(["https://other.example/", registered], requested), requested);
  });
}

for (const [uri, isNative] of [
  ["https://app.example.com/", false],
  ["https://localhost.example.com/", false],
  ["https://localhost/", true],
  ["https://127.0.0.1:8443/callback", true],
  ["https://[::1]/callback", true],
  ["http://localhost:1/", true],
  ["http://[::1]/", true],
  ["com.example.app:/x", true],
  ["cursor://x", true],
] as const) {
  test(`AP-02: ${uri} is ${isNative ? "" : "not "}native`, () => assert.equal(isNativeRedirect(uri), isNative));
}
