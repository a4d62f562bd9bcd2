import { composed, zcdpEpsilon } from '@coppice/federation';
import { type Json, member, type Operation, parameter, requireNumber } from '../case.ts';

function rhosOf(value: Json | undefined): number[] {
  if (!Array.isArray(value)) throw new Error('the case gives no rhos');
  return value.map((rho) => requireNumber(rho, 'rho'));
}

export const privacy: { readonly [name: string]: Operation | string } = {
  zcdp: (one) => {
    const rho = composed(rhosOf(member(one.params, 'rhos')));
    const { epsilon, order } = zcdpEpsilon(rho, parameter(one, 'delta'));
    return {
      named: { rho_total: rho, eps_tight: epsilon, best_alpha: order },
      precision: 'float64',
    };
  },
  discrete_gaussian:
    'the product draws from the distribution, and computes neither its mass nor its divergence',
};
