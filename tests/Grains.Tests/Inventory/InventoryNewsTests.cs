using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Muster.Contracts.Commit;
using Muster.Contracts.Gateways;
using Muster.Contracts.Inventory;
using Muster.Contracts.Rollouts;
using Muster.Domain;
using Muster.Domain.Devices;
using Orleans.Core.Internal;

namespace Muster.Grains.Tests.Inventory;

/// <summary>The real partition tells a rollout's coordinator once what is new for its share.</summary>
public sealed class InventoryNewsTests : InventorySilo
{
    private readonly Ears _ears = new();

    [Fact]
    public async Task ListenAsync_UntilADeviceComes_TellsTheCoordinatorOnce()
    {
        await ExpectAsync("A");
        var (position, reach) = await KnowAsync("A");

        var reply = await InventoryOf("A").ListenAsync(new ListenForNews(TenantId.Default, Rollout, position, reach));
        await ConnectAsync("A", epoch: 7);
        await StoreSilo.UntilAsync(() => !_ears.Heard.IsEmpty);
        await ConnectAsync("A", epoch: 8, connected: false);
        var late = await InventoryOf("A").ListenAsync(new ListenForNews(TenantId.Default, Rollout, position, reach));

        Assert.Equal(ListenReply.Listening, reply);
        Assert.Equal(ListenReply.ReachHasChanged, late);
        Assert.Equal([$"default/spring {PartitionOf("A")} False"], _ears.Heard);
    }

    [Fact]
    public async Task ListenAsync_UntilTheFeedHasSomething_TellsTheCoordinator()
    {
        await ExpectAsync("A");
        var (position, _) = await KnowAsync("A");

        var reply = await InventoryOf("A").ListenAsync(new ListenForNews(TenantId.Default, Rollout, position, null));
        await EditAsync("A", 1); // of a device that is not in service, and may be a member: it can wait
        await InventoryOf("A").NudgeAsync();
        await StoreSilo.UntilAsync(() => !_ears.Heard.IsEmpty);
        var behind = await InventoryOf("A").ListenAsync(new ListenForNews(TenantId.Default, Rollout, position, null));

        Assert.Equal(ListenReply.Listening, reply);
        Assert.Equal(ListenReply.FeedHasNews, behind);
        Assert.Equal([$"default/spring {PartitionOf("A")} False"], _ears.Heard);
    }

    [Fact]
    public async Task ListenAsync_WhenThePartitionIsBuiltAnew_IsToldToAskAgain()
    {
        await ExpectAsync("A");
        var (position, reach) = await KnowAsync("A");
        await InventoryOf("A").ListenAsync(new ListenForNews(TenantId.Default, Rollout, position, reach));

        await InventoryOf("A").RebuildAsync();

        await StoreSilo.UntilAsync(() => !_ears.Heard.IsEmpty);
        Assert.Equal([$"default/spring {PartitionOf("A")} True"], _ears.Heard);
    }

    [Fact]
    public async Task ListenAsync_UntilThePartitionIsLetGo_IsToldToAskAgain()
    {
        await ExpectAsync("A");
        var (position, reach) = await KnowAsync("A");
        await InventoryOf("A").ListenAsync(new ListenForNews(TenantId.Default, Rollout, position, reach));

        await InventoryOf("A").AsReference<IGrainManagementExtension>().DeactivateOnIdle(TestContext.Current.CancellationToken);

        await StoreSilo.UntilAsync(() => !_ears.Heard.IsEmpty);
        Assert.Equal([$"default/spring {PartitionOf("A")} True"], _ears.Heard);
    }

    private protected override void Configure(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(_ears);

    private static ResourceId Rollout => ResourceId.TryParse("spring", out var id) ? id : throw new FormatException();

    private async Task<(FeedPosition Position, ReachMark Reach)> KnowAsync(string device)
    {
        await InventoryOf(device).ListAsync(Query(""));
        var page = await InventoryOf(device).FollowAsync(FeedPosition.Start);
        var connected = await InventoryOf(device).ListConnectedAsync(TenantId.Default, default);
        return (page.Next, connected!.Mark);
    }

    private Task ConnectAsync(string device, long epoch, bool connected = true)
    {
        var observer = Silo.Client.CreateObjectReference<IGatewayObserver>(new Deaf());
        var session = new SessionPresence(
            TenantId.Default, Id(device), epoch, connected, TimeProvider.System.GetUtcNow(), null, DisconnectReason.Unspecified);
        return InventoryOf(device).ReportPresenceAsync(new PresenceReport("g", observer, false, [session]));
    }

    /// <summary>Hears in the place of the coordinator.</summary>
    private sealed class Ears : IIncomingGrainCallFilter
    {
        public ConcurrentQueue<string> Heard { get; } = new();

        public Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.MethodName != nameof(IRolloutGrain.HearAsync))
            {
                return context.Invoke();
            }

            Heard.Enqueue($"{context.TargetId.Key} {context.Request.GetArgument(0)} {context.Request.GetArgument(1)}");
            return Task.CompletedTask;
        }
    }

    private sealed class Deaf : IGatewayObserver
    {
        public Task DeliverAsync(DownDelivery delivery) => Task.CompletedTask;

        public Task CloseAsync(CloseSession close) => Task.CompletedTask;
    }
}
