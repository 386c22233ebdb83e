using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Inventory;
using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.Inventory;

/// <summary>Who listens is told once of what concerns him, and of nothing else.</summary>
public sealed class NewsListenersTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
    private readonly List<string> _told = [];
    private readonly NewsListeners _listeners;

    public NewsListenersTests() =>
        _listeners = new NewsListeners((tenant, rollout, isUrgent) => _told.Add($"{tenant}/{rollout}{(isUrgent ? "" : " later")}"));

    [Fact]
    public void Tell_OfAChangeOfTheRollout_TellsItOnce()
    {
        Put("spring");
        Put("summer");

        _listeners.Tell(Change("default/A1", new ChangeClosed(Id("spring"), 1, ChangeOutcome.Succeeded, "")), Now);
        _listeners.Tell(Change("default/A1", new ChangeClosed(Id("spring"), 1, ChangeOutcome.Failed, "")), Now);
        Assert.Equal(["default/spring"], _told);

        Put("spring");
        _listeners.Tell(Change("default/A1", new ChangeDelivered(Id("spring"), 1)), Now);
        Assert.Equal(["default/spring", "default/spring"], _told);
    }

    [Fact]
    public void Tell_OfAnotherTenantsDevice_TellsNobody()
    {
        Put("spring");

        _listeners.Tell(Change("other/A1", new ChangeDelivered(Id("spring"), 1)), Now);
        _listeners.Tell(Change("other/A1", new ChangeDelivered(Id("none"), 1), isOutOfService: true), Now);

        Assert.Empty(_told);
    }

    /// <summary>A delivery note that is imported says of thousands that they are not in service, which are nobody's members.</summary>
    [Fact]
    public void Tell_OfDevicesThatAreNotInService_TellsAllRolloutsOfTheTenantOnceThatItCanWait()
    {
        Put("spring");
        Put("summer");

        _listeners.Tell(Change("default/A1", new ChangeDelivered(Id("none"), 1), isOutOfService: true), Now);
        _listeners.Tell(Change("default/A2", new ChangeDelivered(Id("none"), 1), isOutOfService: true), Now);

        Assert.Equal(["default/spring later", "default/summer later"], _told.Order());
    }

    [Fact]
    public void Tell_OfAMemberThatLeftServiceWithItsChange_TellsItsRolloutAtOnce()
    {
        Put("spring");
        Put("summer");

        _listeners.Tell(Change("default/A1", new ChangeClosed(Id("spring"), 1, ChangeOutcome.Failed, ""), isOutOfService: true), Now);

        Assert.Equal(["default/spring", "default/summer later"], _told);
    }

    [Fact]
    public void TellReach_AfterAChange_TellsThoseThatWaitForSomebody()
    {
        var known = new ReachMark(Guid.NewGuid(), 1);
        _listeners.TellReach(known, Now);
        Put("spring", known);
        Put("summer");

        _listeners.TellReach(known, Now);
        Assert.Empty(_told);
        _listeners.TellReach(known with { Changes = 2 }, Now);
        _listeners.TellReach(known with { Changes = 3 }, Now);
        Assert.Equal(["default/spring later"], _told);
    }

    /// <summary>Or an outcome that comes behind it would wait until it is looked who can be reached.</summary>
    [Fact]
    public void Tell_BehindWhoCanBeReached_TellsOfTheOutcomeAtOnce()
    {
        Put("spring", new ReachMark(Guid.NewGuid(), 1));

        _listeners.TellReach(new ReachMark(Guid.NewGuid(), 2), Now);
        _listeners.Tell(Change("default/A1", new ChangeClosed(Id("spring"), 1, ChangeOutcome.Succeeded, "")), Now);

        Assert.Equal(["default/spring later", "default/spring"], _told);
    }

    [Fact]
    public void TellAll_BehindEntriesThatWerePassedOver_TellsEverybody()
    {
        Put("spring");
        Put("summer");

        _listeners.TellAll(Now);
        _listeners.TellAll(Now);

        Assert.Equal(["default/spring", "default/summer"], _told.Order());
    }

    [Fact]
    public void Tell_WhoHasNotListenedForLong_TellsNobody()
    {
        Put("ended");

        _listeners.TellAll(Now + NewsListeners.Lifetime + TimeSpan.FromSeconds(1));

        Assert.Empty(_told);
    }

    [Fact]
    public void Put_OfMoreThanThereMayBe_IsRefusedUntilOthersAreGone()
    {
        for (var i = 0; i < NewsListeners.ListenersMax; i++)
        {
            Put($"r{i}");
        }

        var later = Now + NewsListeners.Lifetime + TimeSpan.FromSeconds(1);
        Assert.False(_listeners.Put(Listen("spring"), null, Now));
        Assert.True(_listeners.Put(Listen("r1"), null, Now));
        Assert.True(_listeners.Put(Listen("spring"), null, later));
    }

    private static ResourceId Id(string text) => ResourceId.TryParse(text, out var id) ? id : throw new FormatException(text);

    private static ListenForNews Listen(string rollout) => new(TenantId.Default, Id(rollout), FeedPosition.Start, null);

    private static DeviceChange Change(string device, DomainEvent fact, bool isOutOfService = false) =>
        new(new RecordKey(GrainTypes.Device, device), Now, fact, isOutOfService);

    private void Put(string rollout, ReachMark? reach = null) => Assert.True(_listeners.Put(Listen(rollout), reach, Now));
}
