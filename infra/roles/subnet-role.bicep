// A role of our own that may join a subnet and nothing else: the built-in one that may is Network Contributor.
targetScope = 'subscription'

resource joiner 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(subscription().id, 'pool-reconciler-subnet-join')
  properties: {
    roleName: 'Pool Reconciler Subnet Join (${subscription().subscriptionId})'
    description: 'May join build machines of Managed DevOps Pools to a subnet.'
    type: 'CustomRole'
    assignableScopes: [
      '/subscriptions/${subscription().subscriptionId}'
    ]
    permissions: [
      {
        actions: [
          'Microsoft.Network/virtualNetworks/subnets/read'
          'Microsoft.Network/virtualNetworks/subnets/join/action'
        ]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}

output roleId string = joiner.name
