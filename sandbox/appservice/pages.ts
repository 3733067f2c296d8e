/** Pages that App Service itself answers with, in the place of an app. */
export interface Page {
  readonly status: number;
  readonly html: string;
}

const page = (status: number, title: string, text: string): Page => ({
  status,
  html: `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>${title}</title></head>
<body><h1>${title}</h1><p>${text}</p></body></html>
`,
});

/** A site that nothing was deployed to. */
export function withoutCode(path: string, functionApp: boolean): Page {
  if (path !== "/") return page(404, "404 Not Found", "The resource you are looking for was not found.");
  return functionApp
    ? page(
        200,
        "Your Functions 4.0 app is up and running",
        "Azure Functions is an event-based serverless compute experience.",
      )
    : page(
        200,
        "Microsoft Azure App Service - Welcome",
        "Your web app is running and waiting for your content.",
      );
}

export const stopped = page(
  403,
  "Error 403 - This web app is stopped.",
  "Site Disabled. The web app you have attempted to reach is currently stopped and does not accept any requests.",
);

export const applicationError = page(
  503,
  "Application Error",
  "The application did not start. Its logs are at the site's scm host, under /api/logs/docker.",
);

export const badGateway = page(502, "502 Bad Gateway", "The application ended or hung up without an answer.");

export const gatewayTimeout = page(504, "504 Gateway Timeout", "The application did not answer in time.");

export const internalError = page(
  500,
  "500 Internal Server Error",
  "The sandbox failed; its log has the cause.",
);
