/** A key that is known by its shape alone, whatever stands around it. */
export interface KeyShape {
  /** Name of the rule that finds it. */
  readonly rule: string;
  /** What it is, in words that go on a sentence: `an Azure OpenAI key`. */
  readonly title: string;
  /** Global; matches the key and nothing beside it. */
  readonly pattern: RegExp;
  /** Texts of which one is in every such key: only around them it is looked for. */
  readonly marks: readonly string[];
  /** How many characters of the key come before the mark. */
  readonly before: number;
}

/** An issuer's mark in keys of one form: 52 random characters, `JQQJ99`, date, platform's data, mark, checksum. */
const annotated = (mark: string) =>
  new RegExp(`[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9][A-L][A-Za-z0-9]{12}${mark}[A-Za-z0-9]{4}`, "g");

/**
 * A pattern's beginning, not after some characters, unless what it follows is an escape (`\n`, `%3D`): the letter of that
 * is no part of what comes next.
 */
export const NOT_AFTER = (characters: string) =>
  String.raw`(?:(?<!${characters})|(?<=\\[nrtbf]|%[0-9A-F]{2}))`;

/**
 * Keys that are known by their shape, the more particular first.
 *
 * Sources: the issuers' documentation of their token formats; for Azure's marks the rules that Microsoft publishes
 * (github.com/microsoft/security-utilities, SEC101/…).
 */
export const KEY_SHAPES: readonly KeyShape[] = [
  {
    rule: "azure-openai-key",
    title: "an Azure OpenAI key",
    pattern: annotated("AAABACOG"),
    marks: ["JQQJ99"],
    before: 52,
  },
  {
    rule: "azure-ai-services-key",
    title: "an Azure AI Services key",
    pattern: annotated("AAAAACOG"),
    marks: ["JQQJ99"],
    before: 52,
  },
  {
    rule: "azure-cognitive-key",
    title: "an Azure Cognitive Services key",
    pattern: annotated("AAAEACOG"),
    marks: ["JQQJ99"],
    before: 52,
  },
  {
    rule: "azure-key",
    title: "an Azure key",
    pattern: /[A-Za-z0-9]{52}JQQJ9[9DH][A-Za-z0-9][A-L][A-Za-z0-9]{16}[A-Za-z][A-Za-z0-9]{7}/g,
    marks: ["JQQJ9"],
    before: 52,
  },
  {
    rule: "azure-devops-token",
    title: "an Azure DevOps token",
    pattern: /[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}/g,
    marks: ["AZDO"],
    before: 76,
  },
  {
    rule: "azure-account-key",
    title: "an Azure storage, Cosmos DB, Batch or API Management key",
    pattern: /[A-Za-z0-9+/]{76}(?:\+ASt|ACDb|\+ABa|\+AMC|APIM)[A-Za-z0-9+/]{5}[AQgw]==/g,
    marks: ["+ASt", "ACDb", "+ABa", "+AMC", "APIM"],
    before: 76,
  },
  {
    rule: "azure-messaging-key",
    title: "an Azure Service Bus, Event Hubs, Relay or IoT key",
    pattern: /[A-Za-z0-9+/]{33}(?:\+ASb|\+AEh|\+ARm|AIoT)[A-P][A-Za-z0-9+/]{5}=/g,
    marks: ["+ASb", "+AEh", "+ARm", "AIoT"],
    before: 33,
  },
  {
    rule: "azure-cache-key",
    title: "an Azure Cache for Redis key",
    pattern: /[A-Za-z0-9+/]{33}AzCa[A-P][A-Za-z0-9+/]{5}=/g,
    marks: ["AzCa"],
    before: 33,
  },
  {
    rule: "azure-functions-key",
    title: "an Azure Functions key",
    pattern: /[A-Za-z0-9_-]{44}AzFu[A-Za-z0-9_-]{5}[AQgw]==/g,
    marks: ["AzFu"],
    before: 44,
  },
  {
    rule: "azure-registry-key",
    title: "an Azure Container Registry key",
    pattern: /[A-Za-z0-9+/]{42}\+ACR[A-D][A-Za-z0-9+/]{5}/g,
    marks: ["+ACR"],
    before: 42,
  },
  {
    rule: "azure-search-key",
    title: "an Azure AI Search key",
    pattern: /[A-Za-z0-9]{42}AzSe[A-D][A-Za-z0-9]{5}/g,
    marks: ["AzSe"],
    before: 42,
  },
  {
    rule: "entra-client-secret",
    title: "an Entra client secret",
    pattern: new RegExp(
      `${NOT_AFTER("[A-Za-z0-9_~.-]")}[A-Za-z0-9_~.-]{3}[78]Q~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])`,
      "g",
    ),
    marks: ["7Q~", "8Q~"],
    before: 3,
  },
  {
    rule: "github-token",
    title: "a GitHub token",
    pattern:
      /gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9])|github_pat_[A-Za-z0-9_]{82}(?![A-Za-z0-9_])|ghs_\d{1,20}_[\w-]{1,1000}\.[\w-]{1,8000}\.[\w-]{1,1000}/g,
    marks: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
    before: 0,
  },
  {
    rule: "npm-token",
    title: "an npm token",
    pattern: /npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/g,
    marks: ["npm_"],
    before: 0,
  },
  {
    rule: "pulumi-token",
    title: "a Pulumi token",
    pattern: /pul-[0-9a-f]{40}(?![0-9a-f])/g,
    marks: ["pul-"],
    before: 0,
  },
  {
    rule: "jwt",
    title: "a JSON web token",
    pattern: new RegExp(
      String.raw`${NOT_AFTER("[\\w-]")}eyJ[\w-]{8,4000}\.eyJ[\w-]{8,12000}\.[\w-]{16,4000}`,
      "g",
    ),
    marks: ["eyJ"],
    before: 0,
  },
];

/** Every match of a shape in a text, in time that grows with the text's length, whatever it holds. */
export function* matchesOf(
  { pattern, marks, before }: Pick<KeyShape, "pattern" | "marks" | "before">,
  text: string,
): Generator<{ start: number; end: number }> {
  const here = new RegExp(pattern.source, "y");
  for (const mark of marks) {
    let next = 0;
    for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, next)) {
      const start = at - before;
      here.lastIndex = start;
      const match = start < 0 ? null : here.exec(text);
      next = match === null ? at + 1 : start + match[0].length;
      if (match !== null) yield { start, end: next };
    }
  }
}
