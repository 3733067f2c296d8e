const types = (names: string): ReadonlySet<string> => new Set(names.trim().split(/\s+/));

/**
 * Azure types that carry no tags, by module: every resource of these modules in azure-native 3.28 whose arguments have no
 * `tags`. A type that stands neither here nor in a module listed here is judged as taggable, so that a new kind of
 * resource must be looked at before it passes. test/policies/untaggable.test.ts holds the table against the SDK.
 */
export const UNTAGGABLE: Readonly<Record<string, ReadonlySet<string>>> = {
  app: types(`
    AgentSpacesConnector AgentsConnector AppResiliency Build ConnectedEnvironmentsDaprComponent
    ConnectedEnvironmentsStorage ContainerAppsAuthConfig ContainerAppsSourceControl DaprComponent
    DaprComponentResiliencyPolicy DaprSubscription DotNetComponent HttpRouteConfig JavaComponent LogicApp
    MaintenanceConfiguration ManagedEnvironmentPrivateEndpointConnection ManagedEnvironmentsStorage`),
  applicationinsights: types(`
    AnalyticsItem ComponentCurrentBillingFeature ComponentLinkedStorageAccount ExportConfiguration
    ProactiveDetectionConfiguration`),
  authorization: types(`
    AccessReviewHistoryDefinitionById AccessReviewScheduleDefinitionById DenyAssignment
    ManagementLockAtResourceGroupLevel ManagementLockAtResourceLevel ManagementLockAtSubscriptionLevel
    ManagementLockByScope PimRoleEligibilitySchedule PolicyAssignment PolicyDefinition
    PolicyDefinitionAtManagementGroup PolicyDefinitionVersion PolicyDefinitionVersionAtManagementGroup
    PolicyExemption PolicySetDefinition PolicySetDefinitionAtManagementGroup PolicySetDefinitionVersion
    PolicySetDefinitionVersionAtManagementGroup PrivateLinkAssociation ResourceManagementPrivateLink
    RoleAssignment RoleDefinition RoleManagementPolicy RoleManagementPolicyAssignment
    ScopeAccessReviewHistoryDefinitionById ScopeAccessReviewScheduleDefinitionById Variable
    VariableAtManagementGroup VariableValue VariableValueAtManagementGroup`),
  cognitiveservices: types(`
    AccountCapabilityHost AccountConnection AgentApplication AgentDeployment ManagedNetworkSetting
    OutboundRule PrivateEndpointConnection ProjectCapabilityHost ProjectConnection RaiExternalSafetyProvider`),
  containerregistry: types(`
    Archife ArchiveVersion CacheRule ConnectedRegistry CredentialSet ExportPipeline ImportPipeline
    PipelineRun PrivateEndpointConnection ScopeMap TaskRun Token`),
  cosmosdb: types(`
    CassandraDataCenter CassandraResourceCassandraRoleAssignment CassandraResourceCassandraRoleDefinition
    DatabaseAccountCassandraKeyspace DatabaseAccountCassandraTable DatabaseAccountGremlinDatabase
    DatabaseAccountGremlinGraph DatabaseAccountMongoDBCollection DatabaseAccountMongoDBDatabase
    DatabaseAccountSqlContainer DatabaseAccountSqlDatabase DatabaseAccountTable FleetAnalytic Fleetspace
    FleetspaceAccount GremlinResourceGremlinRoleAssignment GremlinResourceGremlinRoleDefinition
    MongoClusterFirewallRule MongoDBResourceMongoRoleDefinition MongoDBResourceMongoUserDefinition
    MongoMIResourceMongoMIRoleAssignment MongoMIResourceMongoMIRoleDefinition NotebookWorkspace
    PrivateEndpointConnection Service SqlResourceSqlRoleAssignment SqlResourceSqlRoleDefinition
    TableResourceTableRoleAssignment TableResourceTableRoleDefinition ThroughputPoolAccount`),
  dbforpostgresql: types(`
    Administrator AdministratorsMicrosoftEntra Backup BackupsAutomaticAndOnDemand Configuration Database
    FirewallRule PrivateEndpointConnection ServerGroupFirewallRule ServerGroupPrivateEndpointConnection
    ServerGroupRole SingleServerConfiguration SingleServerDatabase SingleServerFirewallRule
    SingleServerServerAdministrator SingleServerServerSecurityAlertPolicy SingleServerVirtualNetworkRule
    VirtualEndpoint`),
  eventhub: types(`
    ApplicationGroup ConsumerGroup DisasterRecoveryConfig EventHub EventHubAuthorizationRule
    NamespaceAuthorizationRule NamespaceIpFilterRule NamespaceNetworkRuleSet NamespaceVirtualNetworkRule
    PrivateEndpointConnection SchemaRegistry`),
  keyvault: types("AccessPolicy PrivateEndpointConnection"),
  machinelearningservices: types(`
    CapabilityHost CodeContainer CodeVersion ComponentContainer ComponentVersion ConnectionDeployment
    ConnectionRaiBlocklist ConnectionRaiBlocklistItem ConnectionRaiPolicy DataContainer DataVersion
    Datastore EndpointDeployment EnvironmentContainer EnvironmentSpecificationVersion EnvironmentVersion
    FeaturesetContainerEntity FeaturesetVersion FeaturestoreEntityContainerEntity FeaturestoreEntityVersion
    Job LabelingJob LinkedService LinkedWorkspace MachineLearningDataset MachineLearningDatastore
    ManagedNetworkSettingsRule MarketplaceSubscription ModelContainer ModelVersion OutboundRule RaiPolicy
    RegistryCodeContainer RegistryCodeVersion RegistryComponentContainer RegistryComponentVersion
    RegistryDataContainer RegistryDataVersion RegistryEnvironmentContainer RegistryEnvironmentVersion
    RegistryModelContainer RegistryModelVersion Schedule WorkspaceConnection`),
  managedidentity: types("FederatedIdentityCredential"),
  monitor: types(`
    AuthenticationSetting DataCollectionRuleAssociation DiagnosticSetting DiscoveryRule Entity Issue
    ManagementGroupDiagnosticSetting PrivateEndpointConnection PrivateLinkScopedResource Relationship
    SignalDefinition Sli SubscriptionDiagnosticSetting`),
  network: types(`
    AdminRule AdminRuleCollection ApplicationGatewayPrivateEndpointConnection Commit
    ConfigurationPolicyGroup ConnectionPolicy ConnectivityConfiguration DefaultAdminRule DefaultUserRule
    ExpressRouteCircuitAuthorization ExpressRouteCircuitConnection ExpressRouteCircuitPeering
    ExpressRouteConnection ExpressRouteCrossConnectionPeering ExpressRoutePortAuthorization
    FirewallPolicyRuleCollectionGroup FirewallPolicyRuleCollectionGroupDraft FirewallPolicyRuleGroup
    HubRouteTable HubVirtualNetworkConnection InboundNatRule LoadBalancerBackendAddressPool
    ManagementGroupNetworkManagerConnection NatRule NetworkGroup NetworkInterfaceTapConfiguration
    NetworkManagerRoutingConfiguration NetworkSecurityPerimeterLink
    NetworkSecurityPerimeterLoggingConfiguration NetworkVirtualApplianceConnection NspLink
    P2sVpnServerConfiguration PacketCapture PrivateDnsZoneGroup PrivateLinkServicePrivateEndpointConnection
    ReachabilityAnalysisIntent ReachabilityAnalysisRun Route RouteFilterRule RouteMap RoutingConfiguration
    RoutingIntent RoutingRule RoutingRuleCollection ScopeConnection SecurityAdminConfiguration SecurityRule
    SecurityUserConfiguration SecurityUserRule SecurityUserRuleCollection ServiceEndpointPolicyDefinition
    StaticCidr StaticMember Subnet SubscriptionNetworkManagerConnection UserRule UserRuleCollection
    VirtualApplianceSite VirtualHubBgpConnection VirtualHubIpConfiguration VirtualHubRouteTableV2
    VirtualNetworkGatewayNatRule VirtualNetworkPeering VirtualRouterPeering VpnConnection`),
  operationalinsights: types("DataExport LinkedStorageAccount MachineGroup SummaryLog Table"),
  privatedns: types("PrivateRecordSet"),
  redis: types(`
    AccessPolicy AccessPolicyAssignment FirewallRule LinkedServer PatchSchedule PrivateEndpointConnection
    RedisFirewallRule RedisLinkedServer`),
  resources: types("TagAtScope"),
  servicebus: types(`
    DefaultRule DisasterRecoveryConfig MigrationConfig NamespaceAuthorizationRule NamespaceIpFilterRule
    NamespaceNetworkRuleSet NamespaceVirtualNetworkRule PrivateEndpointConnection Queue
    QueueAuthorizationRule Rule Subscription Topic TopicAuthorizationRule`),
  sql: types(`
    BackupLongTermRetentionPolicy BackupShortTermRetentionPolicy DataMaskingPolicy DatabaseAdvisor
    DatabaseBlobAuditingPolicy DatabaseSecurityAlertPolicy DatabaseSqlVulnerabilityAssessmentRuleBaseline
    DatabaseThreatDetectionPolicy DatabaseVulnerabilityAssessment
    DatabaseVulnerabilityAssessmentRuleBaseline DisasterRecoveryConfiguration DistributedAvailabilityGroup
    EncryptionProtector ExtendedDatabaseBlobAuditingPolicy ExtendedServerBlobAuditingPolicy FirewallRule
    GeoBackupPolicy InstanceFailoverGroup IPv6FirewallRule Job JobCredential JobPrivateEndpoint JobStep
    JobTargetGroup LongTermRetentionPolicy ManagedDatabaseSensitivityLabel
    ManagedDatabaseVulnerabilityAssessment ManagedDatabaseVulnerabilityAssessmentRuleBaseline
    ManagedInstanceAdministrator ManagedInstanceAzureADOnlyAuthentication ManagedInstanceKey
    ManagedInstanceLongTermRetentionPolicy ManagedInstancePrivateEndpointConnection
    ManagedInstanceVulnerabilityAssessment ManagedServerDnsAlias OutboundFirewallRule
    PrivateEndpointConnection ReplicationLink SensitivityLabel ServerAdvisor ServerAzureADAdministrator
    ServerAzureADOnlyAuthentication ServerBlobAuditingPolicy ServerCommunicationLink ServerDnsAlias
    ServerKey ServerSecurityAlertPolicy ServerTrustCertificate ServerTrustGroup
    ServerVulnerabilityAssessment SqlVulnerabilityAssessmentRuleBaseline SqlVulnerabilityAssessmentsSetting
    StartStopManagedInstanceSchedule SyncAgent SyncGroup SyncMember TransparentDataEncryption
    VirtualNetworkRule WorkloadClassifier WorkloadGroup`),
  storage: types(`
    Blob BlobContainer BlobContainerImmutabilityPolicy BlobContainerLegalHold BlobInventoryPolicy
    BlobServiceProperties EncryptionScope FileServiceProperties FileShare LocalUser ManagementPolicy
    ObjectReplicationPolicy PrivateEndpointConnection Queue QueueServiceProperties
    StorageAccountStaticWebsite StorageTaskAssignment Table TableServiceProperties`),
  web: types(`
    AppServiceEnvironmentAseCustomDnsSuffixConfiguration AppServiceEnvironmentPrivateEndpointConnection
    AppServicePlanRouteForVnet StaticSiteBuildDatabaseConnection StaticSiteCustomDomain
    StaticSiteDatabaseConnection StaticSiteLinkedBackend StaticSiteLinkedBackendForBuild
    StaticSitePrivateEndpointConnection StaticSiteUserProvidedFunctionAppForStaticSite
    StaticSiteUserProvidedFunctionAppForStaticSiteBuild WebAppApplicationSettings
    WebAppApplicationSettingsSlot WebAppAuthSettings WebAppAuthSettingsSlot WebAppAuthSettingsV2
    WebAppAuthSettingsV2Slot WebAppAuthSettingsV2WithoutSecrets WebAppAuthSettingsV2WithoutSecretsSlot
    WebAppAzureStorageAccounts WebAppAzureStorageAccountsSlot WebAppBackupConfiguration
    WebAppBackupConfigurationSlot WebAppConnectionStrings WebAppConnectionStringsSlot WebAppDeployment
    WebAppDeploymentSlot WebAppDiagnosticLogsConfiguration WebAppDiagnosticLogsConfigurationSlot
    WebAppDomainOwnershipIdentifier WebAppDomainOwnershipIdentifierSlot WebAppFtpAllowed
    WebAppFtpAllowedSlot WebAppFunction WebAppHostNameBinding WebAppHostNameBindingSlot
    WebAppHybridConnection WebAppHybridConnectionSlot WebAppInstanceFunctionSlot WebAppMetadata
    WebAppMetadataSlot WebAppPrivateEndpointConnection WebAppPrivateEndpointConnectionSlot
    WebAppPublicCertificate WebAppPublicCertificateSlot WebAppRelayServiceConnection
    WebAppRelayServiceConnectionSlot WebAppScmAllowed WebAppScmAllowedSlot WebAppSiteContainer
    WebAppSiteContainerSlot WebAppSiteExtension WebAppSiteExtensionSlot WebAppSitePushSettings
    WebAppSitePushSettingsSlot WebAppSlotConfigurationNames WebAppSourceControl WebAppSourceControlSlot
    WebAppSwiftVirtualNetworkConnection WebAppSwiftVirtualNetworkConnectionSlot WebAppVnetConnection
    WebAppVnetConnectionSlot`),
};
