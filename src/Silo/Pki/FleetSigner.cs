using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using Muster.Contracts.CertificateStatus;
using Muster.Cryptography.Certificates;
using Muster.Cryptography.Pkcs11;
using Muster.Domain;
using Muster.Domain.CertificateStatus;
using Muster.Domain.Identity;

namespace Muster.Silo.Pki;

/// <summary>
/// Has the keys of the fleet CAs sign: those in files at once, those in hardware modules on threads of their own. A module that cannot
/// is "not possible now" for whoever asks, and is said once in the log, as is its return.
/// </summary>
internal sealed partial class FleetSigner : IFleetSigner, IDisposable
{
    /// <summary>An OCSP responder's certificate is renewed days before its end: a module that is away is not asked each time.</summary>
    private static readonly TimeSpan DelegationPace = TimeSpan.FromMinutes(1);

    private readonly FleetAuthorities _fleet;
    private readonly ILogger<FleetSigner> _logger;
    private readonly FrozenDictionary<int, SigningLane> _lanes;
    private readonly ConcurrentDictionary<int, bool> _unreachable = new();
    private readonly ConcurrentDictionary<int, DateTimeOffset> _delegationAgainAt = new();

    public FleetSigner(FleetAuthorities fleet, TimeProvider clock, ILogger<FleetSigner> logger)
    {
        (_fleet, _logger) = (fleet, logger);
        _lanes = fleet.Generations.Where(generation => fleet.Of(generation).IsSlow).ToFrozenDictionary(
            generation => generation, generation => new SigningLane(FleetFolder.NameOf(generation), clock));
    }

    public ImmutableArray<int> Generations => _fleet.Generations;

    public async Task<(SignedCertificate? Signed, FleetError? Error)> SignAsync(CertificateOrder order)
    {
        ArgumentNullException.ThrowIfNull(order);
        var authority = _fleet.Of(order.Generation);
        return authority.Repeat(order) is { } repeated
            ? (repeated, null)
            : await RunAsync(order.Generation, () => authority.Sign(order));
    }

    public async Task<(ImmutableArray<byte> Der, FleetError? Error)> SignListAsync(RevocationList list)
    {
        ArgumentNullException.ThrowIfNull(list);
        var (signed, error) = await RunAsync<object>(list.Generation, () => _fleet.Of(list.Generation).SignList(list));
        return (signed is ImmutableArray<byte> der ? der : [], error);
    }

    public async Task<OcspAnswer> AnswerAsync(
        ImmutableArray<byte> request,
        Func<int, CertificateSerial, RevokedCertificate?> find,
        DateTimeOffset thisUpdate,
        DateTimeOffset now)
    {
        foreach (var authority in _fleet.WithDelegationDue(now))
        {
            await DelegateAsync(authority, now);
        }

        return _fleet.Answer(request.AsSpan(), find, thisUpdate, now);
    }

    public void Dispose()
    {
        foreach (var lane in _lanes.Values)
        {
            lane.Dispose();
        }
    }

    private async Task DelegateAsync(FleetAuthority authority, DateTimeOffset now)
    {
        var generation = authority.Generation;
        if (_delegationAgainAt.TryGetValue(generation, out var again) && now < again)
        {
            return;
        }

        var (_, error) = await RunAsync<object>(generation, () =>
        {
            authority.DelegateStatus(now);
            return authority;
        });
        _delegationAgainAt[generation] = error is null ? now : now + DelegationPace;
    }

    private async Task<(T? Signed, FleetError? Error)> RunAsync<T>(int generation, Func<T> sign)
        where T : class
    {
        if (!_lanes.TryGetValue(generation, out var lane))
        {
            return (sign(), null);
        }

        try
        {
            var signed = await lane.RunAsync(sign);
            if (_unreachable.TryRemove(generation, out _))
            {
                LogReachable(generation);
            }

            return (signed, null);
        }
        catch (TokenException fault)
        {
            if (_unreachable.TryAdd(generation, true))
            {
                LogUnreachable(generation, fault.Message);
            }

            return (null, CertificateErrors.FleetKeyUnreachable(generation));
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Fleet CA {Generation} cannot sign: {Cause}")]
    private partial void LogUnreachable(int generation, string cause);

    [LoggerMessage(Level = LogLevel.Information, Message = "Fleet CA {Generation} signs again")]
    private partial void LogReachable(int generation);
}
