import { ResponseContext, SelfDecodingBody, wrapHttpLibrary } from "@kubernetes/client-node";

/**
 * Sends the official client's requests by their dispatcher itself. The library that the client has by default does it by
 * `fetch`, whose streams and copies take twice the processor's time: a fifth of a millisecond more for each request.
 */
export const direct = wrapHttpLibrary({
  send: async (request) => {
    const dispatcher = request.getDispatcher();
    const body = request.getBody() ?? null;
    if (dispatcher === undefined) throw new Error("the request has no connections of its own to go over");
    if (body !== null && typeof body !== "string") throw new Error("only text is sent to an API server");
    const { origin, pathname, search } = new URL(request.getUrl());
    const answer = await dispatcher.request({
      origin,
      path: pathname + search,
      method: request.getHttpMethod(),
      headers: request.getHeaders(),
      body,
      signal: request.getSignal() ?? null,
    });
    const headers = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(", ")]);
    const bytes = answer.body.arrayBuffer().then((buffer) => Buffer.from(buffer));
    return new ResponseContext(answer.statusCode, Object.fromEntries(headers), new SelfDecodingBody(bytes));
  },
});
