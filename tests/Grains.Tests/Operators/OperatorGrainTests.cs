using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Operators;
using Muster.Domain;
using Muster.Domain.Inventory;
using Muster.Domain.Operators;
using Muster.Grains.Tests.Lifecycle;

namespace Muster.Grains.Tests.Operators;

public sealed class OperatorGrainTests(LifecycleSilo silo) : IClassFixture<LifecycleSilo>
{
    private static readonly Actor Root = Actor.Operator("root");

    [Fact]
    public async Task AddAsync_SignsOnceAndAuthenticatesThatCertificateOnly()
    {
        var (grain, record) = Operator("add");
        var before = silo.Authority.Signed;

        var added = await grain.AddAsync(new AddOperator(Root, "r1", [OperatorRole.Approver], "csr"));
        var again = await grain.AddAsync(new AddOperator(Root, "r1", [OperatorRole.Approver], "csr"));
        var known = await grain.AuthenticateAsync(added.Account!.Certificate.CertificateSha256);
        var unknown = await grain.AuthenticateAsync("other");

        Assert.Equal(added.Account.Certificate, again.Account?.Certificate);
        Assert.Equal(1, silo.Authority.Signed - before);
        Assert.Equal([OperatorRole.Approver], known.Account!.Roles);
        Assert.Equal("OPERATOR_UNKNOWN", unknown.Error?.Reason);
        Assert.Equal(Root, Assert.Single(silo.Store.FactsOf(record)).Actor);
        Assert.Equal([OperatorRole.Approver], Assert.IsType<OperatorRow>(silo.Store.RowOf(record)).Roles);
    }

    [Fact]
    public async Task EveryCall_OfAnUnknownOperator_IsRefused()
    {
        var (grain, _) = Operator("nobody");

        Assert.Equal("NOT_FOUND", (await grain.GetAsync()).Error?.Reason);
        Assert.Equal("OPERATOR_UNKNOWN", (await grain.AuthenticateAsync("x")).Error?.Reason);
        Assert.Equal("NOT_FOUND", (await grain.DisableAsync(new DisableOperator(Root))).Error?.Reason);
    }

    [Fact]
    public async Task AddAsync_OfARequestThatCannotBeSigned_CommitsNothing()
    {
        var (grain, record) = Operator("bad");

        Assert.Equal(
            "SIGNING_REQUEST_INVALID", (await grain.AddAsync(new AddOperator(Root, "r", [OperatorRole.Viewer], "bad"))).Error?.Reason);
        Assert.Equal(
            "SIGNING_REQUEST_INVALID", (await grain.AddAsync(new AddOperator(Root, "r", [OperatorRole.Viewer], ""))).Error?.Reason);
        Assert.Equal("REQUEST_INVALID", (await grain.AddAsync(new AddOperator(Root, "r", [], "csr"))).Error?.Reason);
        Assert.Empty(silo.Store.FactsOf(record));
    }

    [Fact]
    public async Task BootstrapAsync_Repeated_GivesTheSameCertificateAndNobodyElseOne()
    {
        var (grain, _) = Operator("administrator");

        var first = await grain.BootstrapAsync(new BootstrapAdministrator("csr"));
        var again = await grain.BootstrapAsync(new BootstrapAdministrator("csr"));
        var another = await grain.BootstrapAsync(new BootstrapAdministrator("another"));

        Assert.Equal([OperatorRole.Administrator], first.Account!.Roles);
        Assert.Equal(first.Account.Certificate, again.Account?.Certificate);
        Assert.Equal("ALREADY_EXISTS", another.Error?.Reason);
    }

    [Fact]
    public async Task DisableAsync_EndsAuthenticationAlsoAfterReactivation()
    {
        var (grain, record) = Operator("gone");
        var added = await grain.AddAsync(new AddOperator(Root, "r1", [OperatorRole.Viewer], "csr"));

        await grain.DisableAsync(new DisableOperator(Root));
        await silo.ForgetAsync(record);

        Assert.Equal("OPERATOR_UNKNOWN", (await grain.AuthenticateAsync(added.Account!.Certificate.CertificateSha256)).Error?.Reason);
    }

    [Theory]
    [InlineData(WriteFault.Lost)]
    [InlineData(WriteFault.ReplyLost)]
    public async Task AddAsync_WhenTheWriteFails_NextCallSeesStoredState(WriteFault fault)
    {
        var (grain, record) = Operator($"fails-{(int)fault}");
        silo.Store.FailNextWrite(record, fault);

        await Assert.ThrowsAsync<StoreUnavailableException>(
            () => grain.AddAsync(new AddOperator(Root, "r1", [OperatorRole.Viewer], "csr")));

        Assert.Equal(fault == WriteFault.ReplyLost, (await grain.GetAsync()).Account is not null);
        Assert.Null((await grain.AddAsync(new AddOperator(Root, "r1", [OperatorRole.Viewer], "csr"))).Error);
        Assert.Single(silo.Store.FactsOf(record));
    }

    private (IOperatorGrain Grain, RecordKey Record) Operator(string name)
    {
        var key = $"default/{name}";
        return (silo.Grains.GetGrain<IOperatorGrain>(key), new RecordKey(GrainTypes.Operator, key));
    }
}
