using System.Reflection;
using System.Security.Cryptography;
using Muster.Contracts.Devices;
using Muster.Contracts.Images;
using Muster.Contracts.Inventory;
using Muster.Contracts.Revocations;
using Muster.Domain.Images;

namespace Muster.BareGateway;

/// <summary>A grain factory whose devices say yes at once and whose inventories hear nothing. Asked per connection only.</summary>
public class NoGrains : DispatchProxy
{
    private static readonly IInventoryGrain Inventory = Create<IInventoryGrain, NoInventory>();
    private static readonly NoRevocations Revocations = new();
    private static readonly NoLinks Links = new();

    private NoDevice _device = new(null);

    /// <param name="store">Where inventories are kept before they are acknowledged; null for nowhere.</param>
    internal static IGrainFactory Create(PlainStore? store)
    {
        var grains = Create<IGrainFactory, NoGrains>();
        ((NoGrains)grains)._device = new NoDevice(store);
        return grains;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        ArgumentNullException.ThrowIfNull(targetMethod);
        ArgumentNullException.ThrowIfNull(args);
        return targetMethod switch
        {
            { Name: nameof(IGrainFactory.CreateObjectReference) } => args[0],
            _ when targetMethod.ReturnType == typeof(IDeviceGrain) => _device,
            _ when targetMethod.ReturnType == typeof(IInventoryGrain) => Inventory,
            _ when targetMethod.ReturnType == typeof(IRevocationsGrain) => Revocations,
            _ when targetMethod.ReturnType == typeof(ILinkKeysGrain) => Links,
            _ => throw new NotSupportedException($"The gateway asked for {targetMethod}."),
        };
    }
}

/// <summary>A secret that nobody asks for: no device is offered anything.</summary>
internal sealed class NoLinks : ILinkKeysGrain
{
    private static readonly LinkKeys Keys = LinkKeys.None.Roll([.. RandomNumberGenerator.GetBytes(LinkKey.SecretBytes)], default).Next;

    public Task<LinkKeys> GetAsync() => Task.FromResult(Keys);
}

/// <summary>Presence goes nowhere.</summary>
public class NoInventory : DispatchProxy
{
    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod?.Name switch
    {
        nameof(IInventoryGrain.ReportPresenceAsync) => Task.CompletedTask,
        nameof(IInventoryGrain.FindPresenceAsync) => Task.FromResult<DevicePresence?>(null),
        _ => throw new NotSupportedException($"The gateway called {targetMethod}."),
    };
}
