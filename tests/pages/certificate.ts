import { generateKeyPairSync, sign } from "node:crypto";

/**
 * A key and a self-signed certificate (RFC 5280 §4.1) for servers of one test run; the browser is told to accept it.
 * Made each time, so that no private key lies in the repository.
 */
export function makeCertificate(): { readonly key: string; readonly cert: string } {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(der(SET, sequence(COMMON_NAME, der(UTF8_STRING, Buffer.from("tests.example")))));
  const validity = sequence(der(UTC_TIME, Buffer.from("250101000000Z")), der(UTC_TIME, Buffer.from("491231235959Z")));
  const serial = der(INTEGER, Buffer.from([1]));
  const keyInfo = publicKey.export({ type: "spki", format: "der" });
  // Without extensions a certificate is of version 1, which is the default and left out (RFC 5280 §4.1.2.1).
  const content = sequence(serial, ECDSA_WITH_SHA256, name, validity, name, keyInfo);
  const signature = der(BIT_STRING, Buffer.from([0]), sign("sha256", content, privateKey));
  const certificate = sequence(content, ECDSA_WITH_SHA256, signature);
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`,
  };
}

/** Tags of X.690 §8. */
const [INTEGER, BIT_STRING, UTF8_STRING, UTC_TIME, SEQUENCE, SET] = [0x02, 0x03, 0x0c, 0x17, 0x30, 0x31] as const;

/** 1.2.840.10045.4.3.2 (RFC 5758 §3.2) and 2.5.4.3. */
const ECDSA_WITH_SHA256 = sequence(Buffer.from("06082a8648ce3d040302", "hex"));
const COMMON_NAME = Buffer.from("0603550403", "hex");

function sequence(...parts: readonly Buffer[]): Buffer {
  return der(SEQUENCE, ...parts);
}

/** X.690 §8.1.3: lengths from 128 on are written as the count of their bytes and the bytes. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}
