/**
 * The part of GitHub's GraphQL schema that `gh` asks for when it works on repositories. Names and types are GitHub's own
 * (docs.github.com/graphql/reference).
 */
export const graphqlSchema = `
scalar DateTime
scalar URI

type Query {
  viewer: User!
  node(id: ID!): Node
  user(login: String!): User
  organization(login: String!): Organization
  repositoryOwner(login: String!): RepositoryOwner
  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
}

type Mutation {
  createRepository(input: CreateRepositoryInput!): CreateRepositoryPayload
  createBranchProtectionRule(input: CreateBranchProtectionRuleInput!): BranchProtectionRulePayload
  updateBranchProtectionRule(input: UpdateBranchProtectionRuleInput!): BranchProtectionRulePayload
  deleteBranchProtectionRule(input: DeleteBranchProtectionRuleInput!): DeleteBranchProtectionRulePayload
}

input CreateBranchProtectionRuleInput {
  clientMutationId: String
  repositoryId: ID!
  pattern: String!
  allowsDeletions: Boolean
  allowsForcePushes: Boolean
  isAdminEnforced: Boolean
  lockBranch: Boolean
  requiresConversationResolution: Boolean
  requiresCommitSignatures: Boolean
  requiresLinearHistory: Boolean
  requiresApprovingReviews: Boolean
  requiredApprovingReviewCount: Int
  dismissesStaleReviews: Boolean
  requiresCodeOwnerReviews: Boolean
  requireLastPushApproval: Boolean
  requiresStatusChecks: Boolean
  requiresStrictStatusChecks: Boolean
  requiredStatusCheckContexts: [String!]
}

input UpdateBranchProtectionRuleInput {
  clientMutationId: String
  branchProtectionRuleId: ID!
  pattern: String
  allowsDeletions: Boolean
  allowsForcePushes: Boolean
  isAdminEnforced: Boolean
  lockBranch: Boolean
  requiresConversationResolution: Boolean
  requiresCommitSignatures: Boolean
  requiresLinearHistory: Boolean
  requiresApprovingReviews: Boolean
  requiredApprovingReviewCount: Int
  dismissesStaleReviews: Boolean
  requiresCodeOwnerReviews: Boolean
  requireLastPushApproval: Boolean
  requiresStatusChecks: Boolean
  requiresStrictStatusChecks: Boolean
  requiredStatusCheckContexts: [String!]
}

input DeleteBranchProtectionRuleInput { clientMutationId: String branchProtectionRuleId: ID! }
type BranchProtectionRulePayload { clientMutationId: String branchProtectionRule: BranchProtectionRule }
type DeleteBranchProtectionRulePayload { clientMutationId: String }
type BranchProtectionRuleConnection { nodes: [BranchProtectionRule] totalCount: Int! pageInfo: PageInfo! }

type BranchProtectionRule implements Node {
  id: ID!
  databaseId: Int
  pattern: String!
  repository: Repository
  allowsDeletions: Boolean!
  allowsForcePushes: Boolean!
  isAdminEnforced: Boolean!
  lockBranch: Boolean!
  requiresConversationResolution: Boolean!
  requiresCommitSignatures: Boolean!
  requiresLinearHistory: Boolean!
  requiresApprovingReviews: Boolean!
  requiredApprovingReviewCount: Int
  dismissesStaleReviews: Boolean!
  requiresCodeOwnerReviews: Boolean!
  requireLastPushApproval: Boolean!
  requiresStatusChecks: Boolean!
  requiresStrictStatusChecks: Boolean!
  requiredStatusCheckContexts: [String]
}

input CreateRepositoryInput {
  clientMutationId: String
  description: String
  hasIssuesEnabled: Boolean = true
  hasWikiEnabled: Boolean = false
  homepageUrl: URI
  name: String!
  ownerId: ID
  teamId: ID
  template: Boolean = false
  visibility: RepositoryVisibility!
}

type CreateRepositoryPayload {
  clientMutationId: String
  repository: Repository
}

enum RepositoryVisibility { INTERNAL PRIVATE PUBLIC }
enum RepositoryPermission { ADMIN MAINTAIN READ TRIAGE WRITE }
enum RepositoryAffiliation { COLLABORATOR ORGANIZATION_MEMBER OWNER }
enum RepositoryPrivacy { PRIVATE PUBLIC }
enum RepositoryOrderField { CREATED_AT NAME PUSHED_AT STARGAZERS UPDATED_AT }
enum OrderDirection { ASC DESC }
input RepositoryOrder { direction: OrderDirection! field: RepositoryOrderField! }

interface Node { id: ID! }

interface RepositoryOwner {
  id: ID!
  login: String!
  url: URI!
  repositories(
    affiliations: [RepositoryAffiliation]
    after: String
    first: Int
    orderBy: RepositoryOrder
    ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR]
    privacy: RepositoryPrivacy
    visibility: RepositoryVisibility
    isFork: Boolean
    isArchived: Boolean
  ): RepositoryConnection!
}

type User implements Node & RepositoryOwner {
  id: ID!
  login: String!
  name: String
  databaseId: Int
  url: URI!
  organizations(after: String, first: Int): OrganizationConnection!
  repositories(
    affiliations: [RepositoryAffiliation]
    after: String
    first: Int
    orderBy: RepositoryOrder
    ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR]
    privacy: RepositoryPrivacy
    visibility: RepositoryVisibility
    isFork: Boolean
    isArchived: Boolean
  ): RepositoryConnection!
}

type Organization implements Node & RepositoryOwner {
  id: ID!
  login: String!
  name: String
  databaseId: Int
  url: URI!
  viewerCanCreateRepositories: Boolean!
  repositories(
    affiliations: [RepositoryAffiliation]
    after: String
    first: Int
    orderBy: RepositoryOrder
    ownerAffiliations: [RepositoryAffiliation] = [OWNER, COLLABORATOR]
    privacy: RepositoryPrivacy
    visibility: RepositoryVisibility
    isFork: Boolean
    isArchived: Boolean
  ): RepositoryConnection!
}

type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
type OrganizationConnection { nodes: [Organization] totalCount: Int! pageInfo: PageInfo! }
type RepositoryConnection { nodes: [Repository] totalCount: Int! pageInfo: PageInfo! }

enum ReleaseOrderField { CREATED_AT NAME }
input ReleaseOrder { direction: OrderDirection! field: ReleaseOrderField! }
type ReleaseConnection { nodes: [Release] totalCount: Int! pageInfo: PageInfo! }

type Release implements Node {
  id: ID!
  databaseId: Int
  name: String
  tagName: String!
  description: String
  isDraft: Boolean!
  isLatest: Boolean!
  isPrerelease: Boolean!
  createdAt: DateTime!
  publishedAt: DateTime
  url: URI!
}

type Ref { id: ID! name: String! prefix: String! }
type Language { name: String! }
type License { key: String! name: String! nickname: String }
type Topic { name: String! }
type RepositoryTopic { topic: Topic! }
type RepositoryTopicConnection { nodes: [RepositoryTopic] totalCount: Int! }

type Repository implements Node {
  id: ID!
  databaseId: Int
  name: String!
  nameWithOwner: String!
  owner: RepositoryOwner!
  description: String
  homepageUrl: URI
  url: URI!
  sshUrl: String!
  createdAt: DateTime!
  updatedAt: DateTime!
  pushedAt: DateTime
  archivedAt: DateTime
  isArchived: Boolean!
  isEmpty: Boolean!
  isFork: Boolean!
  isInOrganization: Boolean!
  isPrivate: Boolean!
  isTemplate: Boolean!
  visibility: RepositoryVisibility!
  defaultBranchRef: Ref
  deleteBranchOnMerge: Boolean!
  hasIssuesEnabled: Boolean!
  hasProjectsEnabled: Boolean!
  hasWikiEnabled: Boolean!
  hasDiscussionsEnabled: Boolean!
  mergeCommitAllowed: Boolean!
  rebaseMergeAllowed: Boolean!
  squashMergeAllowed: Boolean!
  viewerPermission: RepositoryPermission
  viewerCanAdminister: Boolean!
  viewerDefaultCommitEmail: String
  branchProtectionRules(after: String, first: Int): BranchProtectionRuleConnection!
  parent: Repository
  templateRepository: Repository
  primaryLanguage: Language
  licenseInfo: License
  stargazerCount: Int!
  forkCount: Int!
  diskUsage: Int
  latestRelease: Release
  release(tagName: String!): Release
  releases(after: String, first: Int, orderBy: ReleaseOrder): ReleaseConnection!
  repositoryTopics(after: String, first: Int): RepositoryTopicConnection!
}
`;
