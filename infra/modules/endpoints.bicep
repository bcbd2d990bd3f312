// Private endpoints of one storage account, one for each service that the apps use.
param accountId string
param accountName string
param location string
param tags object
param subnetId string

var services = ['blob', 'queue', 'table']

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = [
  for service in services: {
    name: '${accountName}-${service}'
    location: location
    tags: tags
    properties: {
      subnet: {
        id: subnetId
      }
      privateLinkServiceConnections: [
        {
          name: service
          properties: {
            privateLinkServiceId: accountId
            groupIds: [
              service
            ]
          }
        }
      ]
    }
  }
]

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' existing = [
  for service in services: {
    name: 'privatelink.${service}.${environment().suffixes.storage}'
  }
]

resource names 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = [
  for (service, index) in services: {
    parent: endpoint[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: service
          properties: {
            privateDnsZoneId: zone[index].id
          }
        }
      ]
    }
  }
]
