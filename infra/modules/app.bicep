// One function app on Flex Consumption, Python 3.12, whose every connection is by one user-assigned identity.
param name string
param planName string
param location string
param tags object

param identityId string
param identityClientId string

@description('Storage of the host itself: locks, timers, keys, the deployed package. Who writes there runs code here.')
param hostStorage object

@description('Storage of queues and state: the same account, except for the ingress app.')
param workStorage object
param deploymentContainer string
param insightsConnectionString string

@description('Settings of the reconciler, RECONCILER_…')
param settings object

@description('Functions of the package that do not run in this app.')
param disabled array

@description('False: the functions have no HTTP, only the deployment endpoint is open.')
param reachable bool

@description('Application (client) id of the registration that callers ask tokens for; empty: no authentication is set up, and the reconciler refuses every caller.')
param apiClientId string

@description('Paths that need no sign-in: each has its own lock, or says nothing secret.')
param openPaths array

@description('Subnet that is delegated to Microsoft.App/environments; empty: none.')
param subnetId string

@minValue(1)
@maxValue(1000)
param maximumInstances int

@allowed([512, 2048, 4096])
param instanceMemoryMB int

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${hostStorage.blobEndpoint}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.12'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstances
      }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      ipSecurityRestrictionsDefaultAction: reachable ? 'Allow' : 'Deny'
      scmIpSecurityRestrictionsDefaultAction: 'Allow'
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}

resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
}

// Identity-based connections: Microsoft Learn, "Connect to host storage with an identity". A user-assigned identity
// has to be named in each of them.
var connections = {
  AzureWebJobsDisableHomepage: 'true' // the status page is at the root
  AzureWebJobsStorage__blobServiceUri: hostStorage.blobEndpoint
  AzureWebJobsStorage__queueServiceUri: hostStorage.queueEndpoint
  AzureWebJobsStorage__tableServiceUri: hostStorage.tableEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  RECONCILER_STORAGE__blobServiceUri: workStorage.blobEndpoint
  RECONCILER_STORAGE__queueServiceUri: workStorage.queueEndpoint
  RECONCILER_STORAGE__credential: 'managedidentity'
  RECONCILER_STORAGE__clientId: identityClientId
  RECONCILER_CREDENTIAL: 'managed'
  RECONCILER_CLIENT_ID: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
}

var switches = toObject(disabled, each => 'AzureWebJobs.${each}.Disabled', each => 'true')

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: site
  name: 'appsettings'
  properties: union(connections, settings, switches)
}

resource authentication 'Microsoft.Web/sites/config@2024-11-01' = if (!empty(apiClientId)) {
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      // The functions decide: a browser is sent to sign in, all other callers get 401 (Microsoft Learn, "Authentication
      // and authorization in App Service": what callers send as X-MS-CLIENT-PRINCIPAL never gets through).
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
      excludedPaths: openPaths
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: apiClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [
            apiClientId
            'api://${apiClientId}'
          ]
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
}

output id string = site.id
output name string = site.name
output hostName string = site.properties.defaultHostName
