using System.Security.Cryptography;
using System.Text;
using Muster.Contracts;
using Muster.Contracts.Commit;
using Muster.Contracts.Operators;
using Muster.Domain;
using Muster.Domain.Operators;

namespace Muster.Grains.Operators;

/// <summary>One operator: the rules are <see cref="OperatorRules"/>, the signature is the operators' CA's.</summary>
[GrainType(GrainTypes.Operator)]
internal sealed class OperatorGrain : Grain, IOperatorGrain
{
    private static readonly Actor Host = Actor.Rule("first-start");

    private readonly IPersistentState<OperatorRecord> _record;
    private readonly StateWriter<OperatorRecord> _writer;
    private readonly IOperatorCertificateAuthority _authority;
    private readonly TimeProvider _clock;

    public OperatorGrain(
        [PersistentState("operator", StorageNames.Muster)] IPersistentState<OperatorRecord> record,
        IOperatorCertificateAuthority authority,
        TimeProvider clock)
    {
        _record = record;
        _writer = new StateWriter<OperatorRecord>(record, this);
        _authority = authority;
        _clock = clock;
    }

    public Task<OperatorReply> AddAsync(AddOperator command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return SignAndAddAsync(command);
    }

    public Task<OperatorReply> BootstrapAsync(BootstrapAdministrator command)
    {
        ArgumentNullException.ThrowIfNull(command);
        var requestId = $"first-start/{Hash(command.SigningRequest)}";
        return SignAndAddAsync(new AddOperator(Host, requestId, [OperatorRole.Administrator], command.SigningRequest));
    }

    public Task<OperatorReply> GetAsync() => Task.FromResult(
        _record.State.Account is { } account ? new OperatorReply(account, null) : NotFound());

    public Task<OperatorReply> AuthenticateAsync(string certificateSha256) => Task.FromResult(
        OperatorRules.Authenticate(_record.State.Account, certificateSha256, _clock.GetUtcNow()) is { } error
            ? new OperatorReply(null, error)
            : new OperatorReply(_record.State.Account, null));

    public async Task<OperatorReply> DisableAsync(DisableOperator command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return _record.State.Account is { } account
            ? await ApplyAsync(OperatorRules.Disable(account, command.Actor)!, command.Actor, _clock.GetUtcNow())
            : NotFound();
    }

    private async Task<OperatorReply> SignAndAddAsync(AddOperator command)
    {
        var now = _clock.GetUtcNow();
        var (tenant, id) = OperatorKey.Parse(this.GetPrimaryKeyString());
        if (OperatorRules.CheckSigningRequest(command.SigningRequest) is { } invalid)
        {
            return new(null, invalid);
        }

        // A repetition is answered with the certificate on record: no second one is ever signed for the same operator.
        var current = _record.State.Account;
        var (certificate, error) = current is null ? _authority.Sign(command.SigningRequest, tenant, id, now) : (current.Certificate, null);
        if (certificate is null)
        {
            return new(null, error);
        }

        var added = new OperatorAccount
        {
            Tenant = tenant,
            Id = id,
            Roles = OperatorRules.Normalize(command.Roles),
            Certificate = certificate,
            Enabled = true,
            CreatedAt = now,
            RequestId = command.RequestId,
            SigningRequestSha256 = Hash(command.SigningRequest),
        };
        return await ApplyAsync(OperatorRules.Add(current, added), command.Actor, now);
    }

    private async Task<OperatorReply> ApplyAsync(Decision<OperatorAccount?> decision, Actor actor, DateTimeOffset now)
    {
        if (!decision.Events.IsEmpty)
        {
            await _writer.CommitAsync(
                _record.State with { Account = decision.Next },
                new CommitAttachments { Facts = decision.Events, Actor = actor, At = now });
        }

        return decision.Error is { } error ? new(null, error) : new(decision.Next, null);
    }

    private OperatorReply NotFound() => new(null, OperatorErrors.NotFound(OperatorKey.Parse(this.GetPrimaryKeyString()).Operator));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
