/** What a token must be meant for to be exchanged. Source: learn.microsoft.com/entra/workload-id (federated credentials) */
export const AUDIENCE = "api://AzureADTokenExchange";
