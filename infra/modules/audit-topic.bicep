// The topic into which an organization's audit stream is pointed. Azure DevOps signs in to it with an access key and
// knows nothing else (Microsoft Learn, "Create audit streaming"), so this is the one resource whose keys stay on; what
// it can do with one is put a hint on a queue.
param name string
param location string
param tags object

resource topic 'Microsoft.EventGrid/topics@2025-02-15' = {
  name: name
  location: location
  tags: tags
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    inputSchema: 'EventGridSchema'
    minimumTlsVersionAllowed: '1.2'
    publicNetworkAccess: 'Enabled'
  }
}

output name string = topic.name
output principalId string = topic.identity.principalId
output endpoint string = topic.properties.endpoint
