// Unpacks the Chromium of the npm package @sparticuz/chromium, with the libraries and the font that it brings, into a
// folder: node unpack.cjs node_modules/@sparticuz/chromium/bin FOLDER
const { execFileSync } = require("node:child_process");
const { mkdirSync, readFileSync, writeFileSync } = require("node:fs");
const { join } = require("node:path");
const { brotliDecompressSync } = require("node:zlib");

const [from, to] = process.argv.slice(2);
mkdirSync(to, { recursive: true });
writeFileSync(join(to, "chromium"), brotliDecompressSync(readFileSync(join(from, "chromium.br"))), { mode: 0o755 });
for (const name of ["al2023", "fonts", "swiftshader"]) {
  const tar = brotliDecompressSync(readFileSync(join(from, `${name}.tar.br`)));
  execFileSync("tar", ["-x", "-C", to, "--no-same-owner"], { input: tar });
}
writeFileSync(
  join(to, "fonts.conf"),
  `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig><dir>${join(to, "fonts")}</dir>` +
    `<cachedir>${join(to, "font-cache")}</cachedir></fontconfig>\n`,
);
