// Everything that the reconciler needs in Azure. docs/deploy.md goes through the parameters; defaults are the careful ones.
targetScope = 'subscription'

@minLength(1)
@maxLength(32)
@description('Name of the azd environment: part of every name.')
param environmentName string

@description('Region that offers Flex Consumption.')
param location string

@description('Where specs come from: RECONCILER_SPECS, an https git URL with #REF:PREFIX behind it.')
param specs string

@description('Path of the policy file in the package, as the app sees it; policy init writes one. Empty: only verified specs limit what is done.')
param policyFile string = ''

@description('Path of the file of capabilities in the package, as the app sees it; empty: the careful way is taken in everything.')
param capabilitiesFile string = ''

@description('report: the identity may only read pools, and nothing is written. enforce: it may write them, once the owner sets the mode.')
@allowed(['report', 'enforce'])
param mode string = 'report'

@description('Resource groups with pools: their resource ids, with commas between.')
param poolResourceGroups string = ''

@description('System topics of subscriptions that have one already: their resource ids, with commas between.')
param existingTopics string = ''

@description('Resource groups, one in each further subscription with pools, that a new system topic is made in: their resource ids, with commas between. Nothing given here and above: a new one in this subscription.')
param newTopicGroups string = ''

@description('Managed identities that specs attach to pools: their resource ids, with commas between.')
param attachedIdentities string = ''

@description('Subnets that specs put pools into: their resource ids, with commas between.')
param subnets string = ''

@description('Key Vaults whose certificates specs put on machines: their resource ids, with commas between.')
param certificateVaults string = ''

@description('Dev Center projects that specs put pools into: their resource ids, with commas between.')
param devCenterProjects string = ''

@description('Resource id of the Key Vault with the secrets below, which are there already; empty: none.')
param vaultId string = ''

@description('Name of the secret with the token for git; empty: none.')
param gitTokenName string = ''

@description('Name of the secret of the GitHub webhook; empty: none.')
param githubSecretName string = ''

@description('Name of another secret of the GitHub webhook, while the first is being replaced; empty: none.')
param githubNextSecretName string = ''

@description('Name of the secret of the Azure Repos service hook; empty: none.')
param azureReposSecretName string = ''

@description('Name of another secret of the Azure Repos service hook, while the first is being replaced; empty: none.')
param azureReposNextSecretName string = ''

@description('Name of the secret with the address of a Teams workflow for notices; empty: none.')
param notifyTeamsSecretName string = ''

@description('Name of the secret with the address of a Slack webhook for notices; empty: none.')
param notifySlackSecretName string = ''

@description('Name of the secret with the address of a webhook that gets notices as CloudEvents; empty: none.')
param notifyWebhookSecretName string = ''

@description('Name of the secret with the key that signs them; needed with that webhook.')
param notifyWebhookKeySecretName string = ''

@description('Address of the status page, for links in notices; needed with the ingress app, which serves the page.')
param notifyPage string = ''

@description('Client id of the app registration that callers of the HTTP functions sign in to; empty: every caller is refused.')
param apiClientId string = ''

@description('App role that callers need: infra/app-roles.json.')
param appRole string = 'Reconciler.Operate'

@description('Address that alerts are sent to; empty: none.')
param alertEmail string = ''

@description('Receive the audit streams of Azure DevOps organizations.')
param auditStream bool = true

@description('HTTP in an app of its own that may only enqueue, beside a worker without HTTP.')
param ingress bool = false

@description('Run in a network of its own, with storage behind private endpoints.')
param network bool = false

@description('Addresses of that network, /24 or larger.')
param addressPrefix string = '10.80.0.0/24'

@description('Redundancy of storage; regions without availability zones know no Standard_ZRS.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'

@minValue(1)
@maxValue(1000)
param maximumInstances int = 40

@minValue(30)
@maxValue(730)
param retentionDays int = 30

var names = loadJsonContent('names.json')
var suffix = uniqueString(subscription().id, environmentName, location)
var groupName = 'rg-${environmentName}'
var appName = 'func-reconciler-${suffix}'
var tags = {
  'azd-env-name': environmentName
}
var queues = map(items(names.queues), each => each.value)
var poison = map(queues, each => '${each}${names.poison}')
// azd hands over text, so lists come with commas between. Parts of an id: 2 subscription, 4 resource group, 8 name.
var topicsThere = filter(map(split(existingTopics, ','), each => trim(each)), each => !empty(each))
var topicsWanted = filter(map(split(newTopicGroups, ','), each => trim(each)), each => !empty(each))
var there = map(topicsThere, id => {
  subscription: split(id, '/')[2]
  resourceGroup: split(id, '/')[4]
  topic: split(id, '/')[8]
  existing: true
})
var wanted = map(topicsWanted, id => {
  subscription: split(id, '/')[2]
  resourceGroup: split(id, '/')[4]
  topic: 'reconciler-${suffix}'
  existing: false
})
var here = [
  {
    subscription: subscription().subscriptionId
    resourceGroup: groupName
    topic: 'reconciler-${suffix}'
    existing: false
  }
]
var sources = empty(there) && empty(wanted) ? here : concat(there, wanted)

// Settings that are references to Key Vault, without a version: App Service takes a new one within a day (Microsoft Learn,
// "Use Key Vault references as app settings"). Webhooks reach the ingress alone, where there is one.
var vaultUri = empty(vaultId) ? '' : 'https://${last(split(vaultId, '/'))}${environment().suffixes.keyvaultDns}/secrets'
var gitSecrets = {
  RECONCILER_GIT_TOKEN: gitTokenName
}
// Notices are sent by the worker.
var notifySecrets = {
  RECONCILER_NOTIFY_TEAMS: notifyTeamsSecretName
  RECONCILER_NOTIFY_SLACK: notifySlackSecretName
  RECONCILER_NOTIFY_WEBHOOK: notifyWebhookSecretName
  RECONCILER_NOTIFY_WEBHOOK_SECRET: notifyWebhookKeySecretName
}
var hookSecrets = {
  RECONCILER_GITHUB_SECRET: githubSecretName
  RECONCILER_GITHUB_SECRET_2: githubNextSecretName
  RECONCILER_AZURE_REPOS_SECRET: azureReposSecretName
  RECONCILER_AZURE_REPOS_SECRET_2: azureReposNextSecretName
}
// union() leaves out what stands twice: one secret may serve two settings, and gets one role.
var allSecrets = filter(items(union(gitSecrets, notifySecrets, hookSecrets)), each => !empty(each.value))
var workerSecrets = ingress ? filter(items(union(gitSecrets, notifySecrets)), each => !empty(each.value)) : allSecrets
var allReferences = toObject(
  allSecrets,
  each => each.key,
  each => '@Microsoft.KeyVault(SecretUri=${vaultUri}/${each.value})'
)
var workerReferences = toObject(workerSecrets, each => each.key, each => allReferences[each.key])
var plain = {
  RECONCILER_SPECS: specs
  RECONCILER_MODE: mode
  RECONCILER_POLICY: policyFile
  RECONCILER_CAPABILITIES: capabilitiesFile
  RECONCILER_APP_ROLE: appRole
  RECONCILER_DEPLOYMENT: environmentName
  RECONCILER_NOTIFY_PAGE: notifyPage
}
var settings = union(names.queues, names.schedules, names.telemetry, plain)

var work = {
  name: storage.outputs.name
  blobEndpoint: storage.outputs.blobEndpoint
  queueEndpoint: storage.outputs.queueEndpoint
  tableEndpoint: storage.outputs.tableEndpoint
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: groupName
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-reconciler-${suffix}'
    location: location
    tags: tags
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: 'st${suffix}'
    location: location
    tags: tags
    containers: [names.stateContainer, names.safetyContainer, names.deploymentContainer, names.deadLetterContainer]
    queues: concat(queues, poison)
    expiring: names.deadLetterContainer
    sku: storageSku
    closed: network
  }
}

module telemetry 'modules/telemetry.bicep' = {
  name: 'telemetry'
  scope: group
  params: {
    name: 'appi-reconciler-${suffix}'
    location: location
    tags: tags
    retentionDays: retentionDays
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    namePrefix: 'reconciler-${suffix}'
    location: location
    tags: tags
    insightsId: telemetry.outputs.id
    alertEmail: alertEmail
  }
}

module net 'modules/network.bicep' = if (network) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-reconciler-${suffix}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
  }
}

module endpoints 'modules/endpoints.bicep' = if (network) {
  name: 'endpoints'
  scope: group
  params: {
    accountId: storage.outputs.id
    accountName: storage.outputs.name
    location: location
    tags: tags
    subnetId: net!.outputs.endpointSubnetId
  }
}

module roles 'modules/roles.bicep' = {
  // Deployments of a subscription share one list of names, in all its regions.
  name: 'roles-${suffix}'
  params: {
    principalId: identity.outputs.principalId
    mode: mode
    poolResourceGroups: filter(map(split(poolResourceGroups, ','), each => trim(each)), each => !empty(each))
    attachedIdentities: filter(map(split(attachedIdentities, ','), each => trim(each)), each => !empty(each))
    subnets: filter(map(split(subnets, ','), each => trim(each)), each => !empty(each))
    certificateVaults: filter(map(split(certificateVaults, ','), each => trim(each)), each => !empty(each))
    devCenterProjects: filter(map(split(devCenterProjects, ','), each => trim(each)), each => !empty(each))
    vaultId: vaultId
    secretNames: union(map(workerSecrets, each => each.value), [])
    resourceGroupName: group.name
    accountName: storage.outputs.name
    blobContainers: [names.stateContainer, names.safetyContainer, names.deploymentContainer]
    insightsName: telemetry.outputs.name
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: appName
    planName: 'plan-reconciler-${suffix}'
    location: location
    tags: union(tags, { 'azd-service-name': 'reconciler' })
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    hostStorage: work
    workStorage: work
    deploymentContainer: names.deploymentContainer
    insightsConnectionString: telemetry.outputs.connectionString
    settings: union(settings, workerReferences)
    disabled: ingress ? names.httpFunctions : []
    reachable: !ingress
    apiClientId: apiClientId
    openPaths: names.openPaths
    subnetId: network ? net!.outputs.workerSubnetId : ''
    maximumInstances: maximumInstances
    instanceMemoryMB: 2048
  }
  dependsOn: [roles, endpoints]
}

module ingressApp 'modules/ingress.bicep' = if (ingress) {
  name: 'ingress'
  scope: group
  params: {
    name: 'func-ingress-${suffix}'
    planName: 'plan-ingress-${suffix}'
    accountName: 'in${suffix}'
    location: location
    tags: tags
    deploymentContainer: names.deploymentContainer
    insightsName: telemetry.outputs.name
    insightsConnectionString: telemetry.outputs.connectionString
    settings: union(settings, allReferences)
    disabled: concat(names.otherFunctions, names.notOnIngress)
    apiClientId: apiClientId
    openPaths: names.openPaths
    subnetId: network ? net!.outputs.ingressSubnetId : ''
    endpointSubnetId: network ? net!.outputs.endpointSubnetId : ''
    work: work
    queueNames: [names.queues.RECONCILER_WORK_QUEUE]
    stateContainer: names.stateContainer
    stateBlobs: names.ingressWrites
    storageSku: storageSku
    vaultId: vaultId
    secretNames: union(map(allSecrets, each => each.value), [])
  }
}

module systemTopic 'modules/system-topic.bicep' = [
  for (source, index) in sources: {
    name: 'system-topic-${suffix}-${index}'
    scope: resourceGroup(source.subscription, source.resourceGroup)
    params: {
      name: source.topic
      existingTopic: source.existing
      tags: tags
    }
    dependsOn: [group]
  }
]

module poolSender 'roles/sender.bicep' = [
  for (source, index) in sources: {
    name: 'role-pool-events-${index}'
    scope: group
    params: {
      accountName: storage.outputs.name
      queueName: names.queues.RECONCILER_POOL_EVENTS_QUEUE
      containerName: names.deadLetterContainer
      principalId: systemTopic[index].outputs.principalId
    }
  }
]

module poolEvents 'modules/pool-events.bicep' = [
  for (source, index) in sources: {
    name: 'pool-events-${suffix}-${index}'
    scope: resourceGroup(source.subscription, source.resourceGroup)
    params: {
      topicName: systemTopic[index].outputs.name
      subscriptionName: 'reconciler-${suffix}'
      storageId: storage.outputs.id
      queueName: names.queues.RECONCILER_POOL_EVENTS_QUEUE
      deadLetterContainer: names.deadLetterContainer
    }
    dependsOn: [poolSender]
  }
]

module auditTopic 'modules/audit-topic.bicep' = if (auditStream) {
  name: 'audit-topic'
  scope: group
  params: {
    name: 'evgt-reconciler-${suffix}'
    location: location
    tags: tags
  }
}

module auditSender 'roles/sender.bicep' = if (auditStream) {
  name: 'role-audit-events'
  scope: group
  params: {
    accountName: storage.outputs.name
    queueName: names.queues.RECONCILER_DEVOPS_EVENTS_QUEUE
    containerName: names.deadLetterContainer
    principalId: auditTopic!.outputs.principalId
  }
}

module auditEvents 'modules/audit-events.bicep' = if (auditStream) {
  name: 'audit-events'
  scope: group
  params: {
    topicName: auditTopic!.outputs.name
    storageId: storage.outputs.id
    queueName: names.queues.RECONCILER_DEVOPS_EVENTS_QUEUE
    deadLetterContainer: names.deadLetterContainer
  }
  dependsOn: [auditSender]
}

// azd puts these into the environment of its hooks, so none has the prefix of the program's own settings.
output AZURE_RESOURCE_GROUP string = group.name
output APP_NAME string = app.outputs.name
output APP_HOST string = ingress ? ingressApp!.outputs.hostName : app.outputs.hostName
output INGRESS_NAME string = ingress ? ingressApp!.outputs.name : ''
output STORAGE_NAME string = storage.outputs.name
output IDENTITY_PRINCIPAL_ID string = identity.outputs.principalId
output IDENTITY_CLIENT_ID string = identity.outputs.clientId
output AUDIT_TOPIC_ENDPOINT string = auditStream ? auditTopic!.outputs.endpoint : ''
